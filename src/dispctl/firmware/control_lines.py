"""The line protocol on the serial port, both sides. Pure; knows nothing of ports or of what the operations do.

A request is one line `@dispctl {"id": 1, "op": "status"}`, its answer one line `[CTL] {"id": 1, "ok": true, …}` or
`[CTL] {"id": 1, "ok": false, "error": "…"}`. Everything else on the wire is log.
"""

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PREFIX = "@dispctl "
ANSWER_PREFIX = "[CTL] "
MAX_REQUEST_BYTES = 6144
_SEPARATORS = (
    ",",
    ":",
)  # a tenth shorter: at 115200 baud an answer takes up to half of its 100 ms on the line


class RequestError(ValueError):
    """The line is no request; `request_id` is None where even that cannot be told."""

    def __init__(self, reason: str, request_id: "int | None" = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.request_id = request_id


def format_request(request_id: int, op: str, **fields: object) -> str:
    """A request as a line without its end (ASCII where the interpreter's JSON escapes, as CPython's does)."""
    request: dict[str, object] = {"id": request_id, "op": op}
    request.update(fields)
    return PREFIX + json.dumps(request)


def parse_request(line: bytes) -> "dict[str, Any] | None":
    """The request in a line without its end; None if it is no control line at all. Raises RequestError."""
    prefix = PREFIX.encode()
    if not line.startswith(prefix):
        return None
    try:
        request = json.loads(line[len(prefix) :])
    except (ValueError, RuntimeError):
        raise RequestError("the request is not valid JSON")
    if not isinstance(request, dict):
        raise RequestError("the request is not a JSON object")
    request_id = request.get("id")
    if not isinstance(request_id, int):
        raise RequestError('the request has no whole number as "id"')
    if not isinstance(request.get("op"), str):
        raise RequestError('the request has no text as "op"', request_id)
    return request


def format_answer(request_id: "int | None", fields: "dict[str, Any]") -> str:
    """An answer that says yes, as a line without its end."""
    answer: dict[str, object] = {"id": request_id, "ok": True}
    answer.update(fields)
    return ANSWER_PREFIX + json.dumps(answer, separators=_SEPARATORS)


def format_refusal(request_id: "int | None", error: str) -> str:
    """An answer that says no and why, as a line without its end."""
    return ANSWER_PREFIX + json.dumps({"id": request_id, "ok": False, "error": error}, separators=_SEPARATORS)


def parse_answer(line: str) -> "dict[str, Any] | None":
    """The answer in a line of the log; None if the line is not one (or was garbled on the way)."""
    text = line.strip()
    if not text.startswith(ANSWER_PREFIX):
        return None
    try:
        answer = json.loads(text[len(ANSWER_PREFIX) :])
    except (ValueError, RuntimeError):
        return None
    return answer if isinstance(answer, dict) and "ok" in answer else None
