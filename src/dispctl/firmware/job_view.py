"""The saved state as people and the host look at it: dicts with the phase-2 names. Pure; imported only when asked for."""

import struct

from . import job_state as codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STATUS_BYTES = 2
_ID_BYTES = 4
_ASCII = 128
_STATES = ("pending", "running", "done")


def describe_items(state: codec.JobState) -> "list[dict[str, Any]]":
    """Every item with its state, asked and poured ms."""
    items = []
    for index, item in enumerate(state.job.items):
        code = state.codes[index]
        items.append(
            {
                "ordem": item.ordem,
                "frasco": item.frasco,
                "tempero": item.tempero,
                "quantidade_g": item.quantidade_g,
                "asked_ms": item.asked_ms,
                "poured_ms": state.poured_ms[index],
                "state": _STATES[code] if code < len(_STATES) else "failed",
                "error": state.error(index),
            }
        )
    return items


def describe(state: codec.JobState, on_interrupted: str) -> "dict[str, Any]":
    """The state without `json` and `log`; see `job_state.decode` for the keys."""
    view = codec.summary(state, on_interrupted)
    view["items"] = describe_items(state)
    return view


def decode_files(
    files: "dict[str, bytes]", on_interrupted: str
) -> "tuple[dict[str, Any] | None, list[dict[str, Any]]]":
    """See `job_state.decode`."""
    findings: list[dict[str, Any]] = []
    state, payload = _decode_job(files, findings)
    for name in sorted(files):
        finding = _file_finding(name, files[name], state, codec.decode_finished(files))
        if finding:
            findings.append({"file": name, "finding": finding, "salvaged": False})
    if state is None:
        return None, findings
    return _whole_view(state, payload, on_interrupted), findings


def decode_rejected_file(data: bytes) -> "dict[str, Any] | None":
    """See `job_state.decode_rejected`."""
    frames, _ = codec.split_frames(data)
    if not frames or frames[0][0] != codec.JOB:
        return None
    state, payload, _ = codec.restore_job(codec.encode_frame(codec.JOB, frames[0][1]))
    if state is None:
        return None
    verdict = {"status": None, "reason": ""}
    for kind, body in frames[1:]:
        if kind == codec.PROGRESS:
            codec.apply_progress(state, codec.encode_frame(kind, body))
        elif kind == codec.VERDICT and len(body) >= _STATUS_BYTES:
            verdict = {
                "status": struct.unpack("<H", body[:_STATUS_BYTES])[0],
                "reason": _text(body[_STATUS_BYTES:]),
            }
    view = _whole_view(state, payload, "remainder")
    view["rejected"] = verdict
    return view


def _whole_view(state: codec.JobState, payload: bytes, on_interrupted: str) -> "dict[str, Any]":
    view = describe(state, on_interrupted)
    view["json"] = _text(payload)
    view["log"] = [state.log_entry(index) for index in range(state.total) if state.codes[index] >= codec.DONE]
    return view


def _decode_job(
    files: "dict[str, bytes]", findings: "list[dict[str, Any]]"
) -> "tuple[codec.JobState | None, bytes]":
    data = files.get(codec.JOB_FILE, b"")
    if not data:
        return None, b""
    state, payload, finding = codec.restore_job(data)
    if finding:
        kept = [name for name in files if name.startswith(codec.PROGRESS_FILE) and _progress_of(files[name])]
        if kept:
            finding += (
                "; the results in "
                + ", ".join(sorted(kept))
                + " count if the backend hands out the job again"
            )
        findings.append({"file": codec.JOB_FILE, "finding": finding, "salvaged": bool(kept)})
    return state, payload


def _progress_of(data: bytes) -> int:
    """The job that an undamaged progress file is about, 0 if it is damaged."""
    body, finding = codec.only_body(data, codec.PROGRESS)
    return 0 if finding or len(body) < _ID_BYTES else struct.unpack("<I", body[:_ID_BYTES])[0]


def _file_finding(name: str, data: bytes, state: "codec.JobState | None", ended: "list[int]") -> "str | None":
    """What is wrong with any file but the job's own; takes the progress over into `state`."""
    if name == codec.JOB_FILE:
        return None
    if name == codec.FINISHED_FILE:
        return codec.only_body(data, codec.FINISHED)[1]
    if name in (codec.REJECTED_FILE, codec.LOCAL_FILE):
        return codec.split_frames(data)[1] or (
            None if decode_rejected_file(data) else "holds no rejected report"
        )
    if _is_progress_name(name):
        return _progress_finding(data, state, ended) if data else None
    return "is none of this firmware's files"


def _progress_finding(data: bytes, state: "codec.JobState | None", ended: "list[int]") -> "str | None":
    """An ended job's results are in order: they stay until the next job overwrites them."""
    job_id = _progress_of(data)
    finding = (
        codec.apply_progress(state, data) if state is not None else codec.only_body(data, codec.PROGRESS)[1]
    )
    return None if job_id and (state is None or job_id in ended) else finding


def _is_progress_name(name: str) -> bool:
    if not name.startswith(codec.PROGRESS_FILE):
        return False
    number = name[len(codec.PROGRESS_FILE) :]
    return not number or (number[0] != "0" and all(c in "0123456789" for c in number))


def _text(data: bytes) -> str:
    """UTF-8 text; what is none is shown as its code (MicroPython's decode knows no error handlers)."""
    try:
        return str(data, "utf-8")
    except UnicodeError:
        return "".join([chr(byte) if byte < _ASCII else f"\\x{byte:02x}" for byte in data])
