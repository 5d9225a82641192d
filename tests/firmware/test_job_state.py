"""The codec of the saved state: what goes in comes out, and no bytes raise."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from dispctl.firmware import job_state as codec
from dispctl.firmware.job import MAX_ITEMS, Job, parse_job

seconds = st.floats(0.001, 180, allow_nan=False)
jobs = st.builds(
    lambda job_id, created, doses: {
        "id": job_id,
        "created_at": created,
        "itens": [
            {"ordem": n + 1, "frasco": n % 4 + 1, "tempero": "Sal", "quantidade_g": 1.5, "segundos": s}
            for n, s in enumerate(doses)
        ],
    },
    st.integers(1, 0xFFFFFFFF),
    st.sampled_from([None, "2026-01-02T03:04:05Z", ""]),
    st.lists(seconds, min_size=1, max_size=30),
)


def saved(
    job: dict[str, object], codes: list[int], poured_ms: list[int]
) -> tuple[codec.JobState, dict[str, bytes]]:
    """A state with these results (repeated as needed), and its files."""
    payload = json.dumps(job).encode()
    state = codec.JobState(parse_job(payload), 1234)
    for index in range(state.total):
        state.codes[index] = codes[index % len(codes)]
        state.poured_ms[index] = poured_ms[index % len(poured_ms)]
    files = {codec.JOB_FILE: codec.encode_job(1234, payload)}
    for window in range(codec.window_count(state.total)):
        files[codec.progress_name(window)] = codec.encode_progress(state, window)
    return state, files


codes = st.lists(st.integers(0, codec.CRASHED), min_size=1, max_size=12)
poured = st.lists(st.integers(0, 180_000), min_size=1, max_size=12)


@given(jobs, codes, poured)
def test_round_trip(job: dict[str, object], item_codes: list[int], poured_ms: list[int]) -> None:
    state, files = saved(job, item_codes, poured_ms)
    view, findings = codec.decode(files)
    assert findings == []
    assert view is not None
    assert (view["job_id"], view["total"], view["done"], view["failed"]) == (
        job["id"],
        state.total,
        state.done,
        state.failed,
    )
    assert view["ts_inicio"] == 1234
    assert json.loads(view["json"]) == job
    assert [item["poured_ms"] for item in view["items"]] == state.poured_ms
    assert len(view["log"]) == state.done + state.failed
    assert view["next"] == ("report" if state.next_item() < 0 else "pour")


@given(jobs, codes, poured)
def test_small_files_stay_small(job: dict[str, object], item_codes: list[int], poured_ms: list[int]) -> None:
    state, files = saved(job, item_codes, poured_ms)
    assert all(len(data) <= 128 for name, data in files.items() if name != codec.JOB_FILE)
    finished = b""
    for _ in range(40):
        finished = codec.encode_finished(state, finished)
        state.job.id = state.job.id % 0xFFFFFFFF + 1
    assert len(finished) <= 128
    assert len(codec.decode_finished({codec.FINISHED_FILE: finished})) >= 7


names = st.sampled_from(
    [
        "job_state",
        "job_state.progress",
        "job_state.progress1",
        "job_state.finished",
        "job_state.rejected",
        "job_state.²",
    ]
)


@settings(max_examples=300)
@given(st.dictionaries(names | st.text(max_size=5).map("job_state".__add__), st.binary(max_size=300)))
def test_no_bytes_raise(files: dict[str, bytes]) -> None:
    view, findings = codec.decode(files)
    codec.decode_finished(files)
    codec.decode_rejected(files)
    assert view is None
    assert all(set(finding) == {"file", "finding", "salvaged"} for finding in findings)


@settings(max_examples=300)
@given(jobs, codes, poured, st.data())
def test_damage_is_found_and_nothing_is_made_up(
    job: dict[str, object], item_codes: list[int], poured_ms: list[int], data: st.DataObject
) -> None:
    _, files = saved(job, item_codes, poured_ms)
    name = data.draw(st.sampled_from(sorted(files)))
    contents = bytearray(files[name])
    if data.draw(st.booleans()):
        del contents[data.draw(st.integers(1, len(contents) - 1)) :]
    else:
        contents[data.draw(st.integers(0, len(contents) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    files[name] = bytes(contents)
    view, findings = codec.decode(files)
    assert [finding["file"] for finding in findings if finding["file"] == name] == [name]
    if name == codec.JOB_FILE:
        assert view is None
        assert findings[0]["salvaged"]


def test_another_version_is_named() -> None:
    _, files = saved({"id": 1, "itens": [{"frasco": 1, "segundos": 1}]}, [0], [0])
    damaged = bytearray(files[codec.JOB_FILE])
    damaged[2] = 9
    _, findings = codec.decode({codec.JOB_FILE: bytes(damaged)})
    assert "version 9" in findings[0]["finding"]


@given(jobs, codes, poured)
def test_rejected_holds_job_results_and_verdict(
    job: dict[str, object], item_codes: list[int], poured_ms: list[int]
) -> None:
    state, _ = saved(job, item_codes, poured_ms)
    payload = json.dumps(job).encode()
    data = codec.encode_rejected(state, payload, 422, "frasco inválido")
    view = codec.decode_rejected({codec.REJECTED_FILE: data})
    assert view is not None
    assert view["rejected"] == {"status": 422, "reason": "frasco inválido"}
    assert (view["done"], view["failed"]) == (state.done, state.failed)


def retained(job: Job, index: int, poured_ms: int, *, attempts: int = 0, is_open: bool = True) -> bytes:
    """What RTC memory holds when an item has got so far."""
    state = codec.JobState(job)
    state.poured_ms[index] = poured_ms
    state.attempts[index] = attempts
    return codec.encode_retained(state, index, is_open)


@given(jobs, st.integers(0, 200_000))
def test_retained_counts_only_for_the_item_under_way(job: dict[str, object], poured_ms: int) -> None:
    state, _ = saved(job, [codec.PENDING], [0])
    data = retained(state.job, 0, poured_ms)
    known_ms = min(poured_ms, state.job.items[0].asked_ms)
    assert codec.apply_retained(state, data + b"\0" * 10) == (known_ms > 0)
    assert state.poured_ms[0] == known_ms
    ended, _ = saved(job, [codec.DONE], [0])
    assert not codec.apply_retained(ended, data)


@given(jobs, st.integers(0, 3_000), st.integers(0, 10_000), st.booleans())
def test_a_hang_counts_while_the_jar_was_open(
    job: dict[str, object], poured_ms: int, hung_ms: int, is_open: bool
) -> None:
    state, _ = saved(job, [codec.PENDING], [0])
    known_ms = min(poured_ms, state.job.items[0].asked_ms)
    codec.apply_retained(state, retained(state.job, 0, poured_ms, is_open=is_open), hung_ms)
    assert state.poured_ms[0] == known_ms + (hung_ms if is_open else 0)


@given(jobs, st.integers(0, 40), st.integers(0, 15), st.integers(0, 2_000))
def test_beginnings_are_counted_until_the_item_gets_on(
    job: dict[str, object], beginnings: int, told: int, poured_ms: int
) -> None:
    state, _ = saved(job, [codec.PENDING], [0])
    for _ in range(beginnings):
        state.begin(0)
    window = codec.encode_progress(state, 0)
    restored = codec.JobState(state.job)
    codec.apply_progress(restored, window)
    assert restored.attempts[0] == min(beginnings, 15)
    codec.apply_retained(restored, retained(state.job, 0, poured_ms, attempts=told))
    got_on = min(poured_ms, state.job.items[0].asked_ms) > 0
    assert restored.attempts[0] == (told if got_on else max(told, min(beginnings, 15)))


def test_more_items_than_are_taken_are_refused() -> None:
    payload = json.dumps({"id": 1, "itens": [{}] * (MAX_ITEMS + 1)}).encode()
    state, _, finding = codec.restore_job(codec.encode_job(0, payload))
    assert state is None
    assert finding
