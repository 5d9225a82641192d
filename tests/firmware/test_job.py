"""Payloads to jobs: a bad item is a failed item, a bad payload a refusal with the job's own id, and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dispctl.firmware.job import MAX_PAYLOAD_BYTES, MAX_STEP_MS, JobRefusedError, find_job_id, parse_job

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from(["id", "ordem", "frasco", "tempero", "quantidade_g", "segundos"])
items = st.lists(st.dictionaries(fields, json_values, max_size=6) | json_values, min_size=1, max_size=6)


@settings(max_examples=300)
@given(items, json_values, json_values)
def test_whatever_the_items_are_each_gets_a_place(raw: list[object], created: object, motor: object) -> None:
    payload = json.dumps({"id": 5, "itens": raw, "created_at": created, "motor_config": motor}).encode()
    assume(len(payload) <= MAX_PAYLOAD_BYTES)
    job = parse_job(payload)
    assert len(job.items) == len(raw)
    for item in job.items:
        assert item.frasco in (1, 2, 3, 4)
        assert item.error or 0 < item.asked_ms <= MAX_STEP_MS
        json.dumps(item)


@settings(max_examples=300)
@given(st.binary(max_size=5000) | json_values.map(lambda value: json.dumps(value).encode()))
def test_whatever_the_payload_is_it_is_a_job_or_refused(payload: bytes) -> None:
    assert refused_id(payload) in range(0x1_0000_0000)


def refused_id(payload: bytes) -> int:
    """The id that a refused payload is reported under; 0 for a job that is taken."""
    try:
        parse_job(payload)
    except JobRefusedError as error:
        return error.job_id
    return 0


@pytest.mark.parametrize(
    ("beginning", "job_id"),
    [
        (b'{"id": 12, "itens": [', 12),
        (b'{"itens": [{"id": 20}], "id":7 ,', 7),
        (b'{"itens": [{"id": 20}, {"id": 21', 0),
        (b'{"note": "\\"id\\": 3", "id": 4}', 4),
        (b'{"id": "9"}', 0),
        (b'{"id": 12', 0),
        (b'{"id": 99999999999}', 0),
        (b'[{"id": 3}]', 0),
        (b"", 0),
        (b'"', 0),
    ],
)
def test_the_id_of_a_payload_cut_short(beginning: bytes, job_id: int) -> None:
    assert find_job_id(beginning) == job_id


@given(st.binary(max_size=200))
def test_looking_for_an_id_never_fails(beginning: bytes) -> None:
    assert find_job_id(beginning) >= 0
