"""The line protocol's two sides against each other, and against noise."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispctl.firmware.control_lines import (
    PREFIX,
    RequestError,
    format_answer,
    format_refusal,
    format_request,
    parse_answer,
    parse_request,
)

ids = st.integers(0, 2**31)
values = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())
fields = st.dictionaries(st.text(min_size=1).filter(lambda key: key not in {"id", "op", "ok"}), values)


@given(ids, st.text(min_size=1), fields)
def test_a_request_survives_the_line(request_id: int, op: str, extra: dict[str, object]) -> None:
    line = format_request(request_id, op, **extra)
    assert "\n" not in line
    assert "\r" not in line
    assert "\x03" not in line
    assert parse_request(line.encode()) == {"id": request_id, "op": op, **extra}


@given(ids, fields)
def test_an_answer_survives_the_line(request_id: int, extra: dict[str, object]) -> None:
    line = format_answer(request_id, extra)
    assert parse_answer(line + "\r\n") == {"id": request_id, "ok": True, **extra}
    assert parse_answer(format_refusal(None, "no")) == {"id": None, "ok": False, "error": "no"}


@given(st.binary(max_size=80) | st.binary(max_size=80).map(PREFIX.encode().__add__))
def test_noise_is_no_request(line: bytes) -> None:
    try:
        request = parse_request(line)
    except RequestError:
        return
    assert request is None or isinstance(request["op"], str)


@given(st.text(max_size=80) | st.text(max_size=80).map("[CTL] ".__add__))
def test_noise_is_no_answer(line: str) -> None:
    answer = parse_answer(line)
    assert answer is None or "ok" in answer
