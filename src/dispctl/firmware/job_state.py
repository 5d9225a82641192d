"""The saved state of a job, bytes to values and back. Pure: the board and the host use this one codec.

Files, all in `/` of the board (sizes chosen for littlefs: a file of up to 128 bytes is rewritten atomically for about
0.03 erases, a longer one costs a whole erase):

    job_state            one JOB frame: the payload as received; written once, before the first jar opens
    job_state.progress   one PROGRESS frame: state and poured ms of items 1 to 12; rewritten as they proceed
    job_state.progress1  the same for items 13 to 24, and so on
    job_state.finished   one FINISHED frame: the last jobs that ended, newest first
    job_state.rejected   JOB, PROGRESS… and VERDICT frames of the last report that the backend will never accept
    job_state.local      the same of the last job that came over the cable and is no backend's

A frame is `magic "DJ", version, kind, body length (u16), CRC-32 (u32) of the six bytes before it and the body, body`,
little-endian. Progress counts only for the job of the same id and moment of creation; when a job has ended its
progress files stay until the next job overwrites them (removing them would cost more erases than is allowed).

The host calls `decode`, `decode_finished` and `decode_rejected` with a dict of file name to contents (every file of
`/` whose name begins with "job_state"). They raise nothing, whatever the bytes.
"""

import struct
from binascii import crc32

from .job import Job, JobRefusedError, parse_job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = 1
JOB_FILE = "job_state"
PROGRESS_FILE = "job_state.progress"
FINISHED_FILE = "job_state.finished"
REJECTED_FILE = "job_state.rejected"
LOCAL_FILE = "job_state.local"

JOB, PROGRESS, FINISHED, VERDICT, RETAINED = 1, 2, 3, 4, 5  # kinds of frames
PENDING, RUNNING, DONE = 0, 1, 2  # codes of an item; what follows are the ways to fail
INVALID, INTERRUPTED, ABORTED, ACTUATOR, CRASHED = 3, 4, 5, 6, 7

WINDOW_ITEMS = 12
SMALL_FILE_BYTES = 128
_MAGIC = b"DJ"
_HEADER = "<2sBBHI"
_HEADER_BYTES = 10
_WINDOW_HEADER = "<IHB"  # job id, mark, window
_WINDOW_HEADER_BYTES = 7
_JOB_HEADER_BYTES = 4
_RETAINED_BODY = "<IHHIBB"  # job id, mark, item (0-based), poured ms, attempts, whether the jar is open
_RETAINED_BODY_BYTES = 14
RETAINED_BYTES = _HEADER_BYTES + _RETAINED_BODY_BYTES
_FINISHED_ENTRY = "<IHB"  # job id, mark, number of items; then a bit for each item that was poured
_FINISHED_ENTRY_BYTES = 7
_CODE_BITS = 4  # of an item's first byte in a progress record; the upper ones hold its attempts
_MAX_ATTEMPTS = 15
_ERRORS = {
    INTERRUPTED: "interrompido",
    ABORTED: "cancelado pelo operador",
    ACTUATOR: "falha do atuador",
    CRASHED: "falha interna",
}


class JobState:
    """A job and how far it has got: `codes`, `poured_ms` and `attempts` by item (0-based).

    `attempts` is how often the item has been begun since it last got on: a board that is reset each time that a jar
    opens must not open it for ever.
    """

    def __init__(self, job: Job, ts_inicio: int = 0) -> None:
        self.job = job
        self.ts_inicio = ts_inicio  # ms since boot when the job was accepted, as phase 2 has it
        self.codes = bytearray(len(job.items))
        self.poured_ms = [0] * len(job.items)
        self.attempts = bytearray(len(job.items))

    @property
    def total(self) -> int:
        """How many items the job has."""
        return len(self.job.items)

    @property
    def done(self) -> int:
        """How many items were poured in full."""
        return sum([code == DONE for code in self.codes])

    @property
    def failed(self) -> int:
        """How many items failed."""
        return sum([code > DONE for code in self.codes])

    def is_poured(self, index: int) -> bool:
        """Whether all that was asked for of an item is out of the jar."""
        return bool(self.poured_ms[index] >= self.job.items[index].asked_ms)

    def begin(self, index: int) -> None:
        """An item's pouring begins, for the first time or again."""
        self.codes[index] = RUNNING
        self.attempts[index] = min(self.attempts[index] + 1, _MAX_ATTEMPTS)

    def next_item(self) -> int:
        """Index of the first item without a result, or -1 when all have one."""
        for index, code in enumerate(self.codes):
            if code <= RUNNING:
                return index
        return -1

    def log_entry(self, index: int) -> "dict[str, Any]":
        """The execution log's entry of a finished item, with the field names of the backend contract."""
        item = self.job.items[index]
        return {
            "frasco": item.frasco,
            "tempero": item.tempero,
            "quantidade_g": item.quantidade_g,
            "segundos": item.asked_ms / 1000,
            "status": "done" if self.codes[index] == DONE else "failed",
            "error": self.error(index),
            "item_ordem": item.ordem,
            "real_s": self.poured_ms[index] / 1000,
        }

    def error(self, index: int) -> "str | None":
        """Why the item failed, in Portuguese as it is reported; None if it did not."""
        code = self.codes[index]
        if code <= DONE:
            return None
        if code == INVALID:
            return self.job.items[index].error or "item inválido"
        return f"{_ERRORS.get(code, 'falha')} após {self.poured_ms[index] / 1000:.3f}s"


def summary(state: JobState, on_interrupted: str) -> "dict[str, Any]":
    """The state without `json`, `log` and `items`; see `decode` for the keys."""
    index = state.next_item()
    step = "report"
    if index >= 0:
        waits = on_interrupted == "ask" and state.codes[index] == RUNNING
        step = "wait" if waits else "pour"
    return {
        "version": VERSION,
        "job_id": state.job.id,
        "total": state.total,
        "done": state.done,
        "failed": state.failed,
        "ts_inicio": state.ts_inicio,
        "next": step,
        "next_item": index + 1 if index >= 0 else None,
    }


def job_mark(job: Job) -> int:
    """Sixteen bits of the job's moment of creation, 0 if unknown: the same id in a new database is another job."""
    return crc32(job.created.encode()) & 0xFFFF if job.created else 0


def same_job(job: Job, job_id: int, mark: int) -> bool:
    """Whether a record of `job_id` and `mark` is about this job; an unknown moment (0) matches any."""
    own = job_mark(job)
    return job.id == job_id and (own == mark or not own or not mark)


def progress_name(window: int) -> str:
    """The file of items 12·window + 1 to 12·window + 12."""
    return PROGRESS_FILE + (str(window) if window else "")


def encode_frame(kind: int, *pieces: bytes) -> bytes:
    """One frame; its body is `pieces` in a row, at most 65,535 bytes (a payload is copied only once: heap is scarce)."""
    head = struct.pack("<2sBBH", _MAGIC, VERSION, kind, sum([len(piece) for piece in pieces]))
    crc = crc32(head)
    for piece in pieces:
        crc = crc32(piece, crc)
    return b"".join((head, struct.pack("<I", crc)) + pieces)


def encode_job(ts_inicio: int, payload: bytes) -> bytes:
    """What `job_state` holds: ms since boot at acceptance, and the payload as received."""
    return encode_frame(JOB, struct.pack("<I", ts_inicio & 0xFFFFFFFF), payload)


def encode_progress(state: JobState, window: int) -> bytes:
    """What the progress file of `window` holds; at most 65 bytes."""
    first = window * WINDOW_ITEMS
    body = bytearray(struct.pack(_WINDOW_HEADER, state.job.id, job_mark(state.job), window))
    for index in range(first, min(first + WINDOW_ITEMS, state.total)):
        attempts = state.attempts[index] if state.codes[index] == RUNNING else 0
        body.append(state.codes[index] | attempts << _CODE_BITS)
        body.extend(struct.pack("<I", state.poured_ms[index])[:3])
    return encode_frame(PROGRESS, bytes(body))


def encode_retained(state: JobState, index: int, is_open: bool) -> bytes:
    """What RTC memory holds: how far the item under way has got, and whether its jar is open."""
    job = state.job
    poured_ms = min(state.poured_ms[index], job.items[index].asked_ms)
    fields = (job.id, job_mark(job), index, poured_ms, state.attempts[index], int(is_open))
    return encode_frame(RETAINED, struct.pack(_RETAINED_BODY, *fields))


def encode_finished(state: JobState, earlier: bytes) -> bytes:
    """What `job_state.finished` holds once this job has ended; the oldest are dropped at 128 bytes."""
    bits = bytearray((state.total + 7) // 8)
    for index, code in enumerate(state.codes):
        if code == DONE:
            bits[index // 8] |= 1 << index % 8
    body = struct.pack(_FINISHED_ENTRY, state.job.id, job_mark(state.job), state.total) + bytes(bits)
    for job_id, mark, total, poured in _finished_entries(earlier):
        entry = struct.pack(_FINISHED_ENTRY, job_id, mark, total) + poured
        if len(body) + len(entry) > SMALL_FILE_BYTES - _HEADER_BYTES:
            break
        if not same_job(state.job, job_id, mark):
            body += entry
    return encode_frame(FINISHED, body)


def encode_rejected(state: JobState, payload: bytes, status: int, reason: str) -> bytes:
    """What `job_state.rejected` and `job_state.local` hold: the job, its results, and the backend's words."""
    data = encode_job(state.ts_inicio, payload)
    for window in range(window_count(state.total)):
        data += encode_progress(state, window)
    return data + encode_frame(VERDICT, struct.pack("<H", status) + reason.encode()[:400])


def window_count(total: int) -> int:
    """How many progress files a job of `total` items has."""
    return (total + WINDOW_ITEMS - 1) // WINDOW_ITEMS


def split_frames(data: bytes) -> "tuple[list[tuple[int, bytes]], str | None]":
    """The whole frames at the beginning of `data` as (kind, body), and what is wrong with the rest (or None)."""
    frames: list[tuple[int, bytes]] = []
    while data:
        finding = _frame_finding(data)
        if finding:
            return frames, finding
        length = _HEADER_BYTES + struct.unpack(_HEADER, data[:_HEADER_BYTES])[3]
        frames.append((data[3], data[_HEADER_BYTES:length]))
        data = data[length:]
    return frames, None


def _frame_finding(data: bytes) -> "str | None":
    if data[:2] != _MAGIC[: len(data)]:
        return "is not a record of this firmware"
    if len(data) < _HEADER_BYTES:
        return f"is cut short after {len(data)} bytes, inside a record's header"
    _, version, _, length, crc = struct.unpack(_HEADER, data[:_HEADER_BYTES])
    if version != VERSION:
        return f"has format version {version}; this program knows version {VERSION}"
    body = data[_HEADER_BYTES : _HEADER_BYTES + length]
    if len(body) < length:
        return f"is cut short: {len(body)} of {length} bytes of a record are there"
    if crc32(body, crc32(data[:6])) != crc:
        return "is damaged: the checksum of a record does not match"
    return None


def only_body(data: bytes, kind: int) -> "tuple[bytes, str | None]":
    """Body of the one frame of `kind` in `data`; b"" with a finding if that is not what is there."""
    frames, finding = split_frames(data)
    if finding:
        return b"", finding
    if len(frames) != 1 or frames[0][0] != kind:
        return b"", "holds records that do not belong into this file"
    return frames[0][1], None


def restore_job(data: bytes) -> "tuple[JobState | None, bytes, str | None]":
    """The job in a `job_state` file, its payload, and a finding where there is none."""
    body, finding = only_body(data, JOB)
    if finding:
        return None, b"", finding
    return _restore_body(body)


def _restore_body(body: bytes) -> "tuple[JobState | None, bytes, str | None]":
    if len(body) < _JOB_HEADER_BYTES:
        return None, b"", "is too short to hold a job"
    try:
        job = parse_job(body[_JOB_HEADER_BYTES:])
    except JobRefusedError:
        return None, body[_JOB_HEADER_BYTES:], "holds a payload that is no job"
    return JobState(job, struct.unpack("<I", body[:_JOB_HEADER_BYTES])[0]), body[_JOB_HEADER_BYTES:], None


def apply_progress(state: JobState, data: bytes) -> "str | None":
    """Take over the results in a progress file; a finding if they are damaged or about another job."""
    body, finding = only_body(data, PROGRESS)
    return finding or _apply_window(state, body)


def _apply_window(state: JobState, body: bytes) -> "str | None":
    if len(body) < _WINDOW_HEADER_BYTES or (len(body) - _WINDOW_HEADER_BYTES) % 4:
        return "has a length that no progress record has"
    job_id, mark, window = struct.unpack(_WINDOW_HEADER, body[:_WINDOW_HEADER_BYTES])
    if not same_job(state.job, job_id, mark):
        return f"is left over from job {job_id}"
    first = window * WINDOW_ITEMS
    count = (len(body) - _WINDOW_HEADER_BYTES) // 4
    if count != min(WINDOW_ITEMS, state.total - first):
        return "has results for items that the job does not have"
    for number in range(count):
        start = _WINDOW_HEADER_BYTES + 4 * number
        state.codes[first + number] = min(body[start] & (1 << _CODE_BITS) - 1, CRASHED)
        state.attempts[first + number] = body[start] >> _CODE_BITS
        state.poured_ms[first + number] = struct.unpack("<I", body[start + 1 : start + 4] + b"\0")[0]
    return None


def apply_retained(state: JobState, data: bytes, hung_ms: int = 0) -> bool:
    """Take over what RTC memory knows beyond the flash of the item under way; whether something was poured.

    `hung_ms` is for how long the board then stood still, if the watchdog reset it: an open jar was open so much longer.
    """
    body, finding = only_body(data[:RETAINED_BYTES], RETAINED)
    if finding or len(body) != _RETAINED_BODY_BYTES:
        return False
    job_id, mark, index, poured_ms, attempts, is_open = struct.unpack(_RETAINED_BODY, body)
    if not same_job(state.job, job_id, mark) or index != state.next_item():
        return False
    if poured_ms > state.job.items[index].asked_ms:
        return False
    got_on = poured_ms > state.poured_ms[index]
    state.attempts[index] = attempts if got_on else max(attempts, state.attempts[index])
    poured_ms += hung_ms if is_open else 0
    if poured_ms <= state.poured_ms[index]:
        return False
    state.codes[index] = RUNNING
    state.poured_ms[index] = poured_ms
    return True


def _finished_entries(data: bytes) -> "list[tuple[int, int, int, bytes]]":
    body, _ = only_body(data, FINISHED)
    entries: list[tuple[int, int, int, bytes]] = []
    while len(body) >= _FINISHED_ENTRY_BYTES:
        job_id, mark, total = struct.unpack(_FINISHED_ENTRY, body[:_FINISHED_ENTRY_BYTES])
        end = _FINISHED_ENTRY_BYTES + (total + 7) // 8
        if len(body) < end:
            break
        entries.append((job_id, mark, total, body[_FINISHED_ENTRY_BYTES:end]))
        body = body[end:]
    return entries


def restore_finished(job: Job, data: bytes) -> "JobState | None":
    """The job's state as it ended, if `data` (`job_state.finished`) remembers it: poured or not, by item."""
    for job_id, mark, total, poured in _finished_entries(data):
        if same_job(job, job_id, mark):
            state = JobState(job)
            for index in range(state.total):
                was_poured = index < total and poured[index // 8] & 1 << index % 8
                state.codes[index] = DONE if was_poured else INVALID if job.items[index].error else CRASHED
                state.poured_ms[index] = job.items[index].asked_ms if was_poured else 0
            return state
    return None


def decode_finished(files: "dict[str, bytes]") -> "list[int]":
    """Ids of the jobs remembered as ended, newest first; [] if there are none or the file is damaged."""
    return [entry[0] for entry in _finished_entries(files.get(FINISHED_FILE, b""))]


def decode(
    files: "dict[str, bytes]", on_interrupted: str = "remainder"
) -> "tuple[dict[str, Any] | None, list[dict[str, Any]]]":
    """The saved job with the phase-2 keys and what is wrong with the files: `(state, findings)`.

    `state` is None when no job is saved (or its payload cannot be read), else a dict with `version, job_id, total,
    done, failed, ts_inicio` (ms since boot), `json` (the payload's text as received), `log` (entries of the finished
    items, as in the report), `items` (each `{ordem, frasco, tempero, quantidade_g, asked_ms, poured_ms, state, error}`
    with `state` one of pending, running, done, failed), `next` (what the board does when it starts next: "pour",
    "report", or "wait" for the operator's word when `on_interrupted` is "ask" and an item is under way) and `next_item`
    (1-based; None unless pour or wait). Each finding is `{"file", "finding", "salvaged"}`: an English sentence about the
    file, and whether what it holds could be used in part.
    """
    from .job_view import decode_files

    return decode_files(files, on_interrupted)


def decode_rejected(files: "dict[str, bytes]") -> "dict[str, Any] | None":
    """The last report that the backend refused for good; None if there is none or it cannot be read.

    The keys are those of `decode`'s state, and `rejected` with `{"status": HTTP status, "reason": text}`.
    """
    from .job_view import decode_rejected_file

    return decode_rejected_file(files.get(REJECTED_FILE, b""))
