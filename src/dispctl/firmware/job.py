"""A job as the backend hands it out: payload bytes to checked items. Pure; knows nothing of storage or outputs.

The wire format is the `next_job` answer of the backend contract. A bad item is an item with an error, never a bad
job: the rest of the job goes on without it.
"""

import json
from collections import namedtuple

from .halves import whole_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_PAYLOAD_BYTES = 4096
MAX_ITEMS = 240
MAX_STEP_MS = 180_000
MAX_JOB_ID = 0xFFFFFFFF
FIRST_LOCAL_ID = 0x80000000  # jobs that no backend knows; the backend's ids are whole numbers of 31 bits
JARS = 4
_QUOTE, _BACKSLASH = 0x22, 0x5C
_ID_WINDOW = 24
_SPICE_CHARACTERS = 60
_DATE_DIGITS = 14  # yyyymmddhhmmss: fractions and time zones are written differently from answer to answer

Item = namedtuple("Item", ("ordem", "frasco", "tempero", "quantidade_g", "asked_ms", "error"))
Motor = namedtuple("Motor", ("intensity", "pre_start_delay_ms", "post_stop_delay_ms", "max_runtime_ms"))


class JobRefusedError(ValueError):
    """The payload is no job that can be poured; `job_id` is 0 where not even that can be told."""

    def __init__(self, reason: str, job_id: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.job_id = job_id


class Job:
    """One job: `id`, `created` (identity of the hand-out, see `created_digits`), `items`, `motor`, `payload` size."""

    def __init__(self, job_id: int, created: str, items: list[Item], motor: "Motor | None") -> None:
        self.id = job_id
        self.created = created
        self.items = items
        self.motor = motor

    @property
    def local(self) -> bool:
        """Whether it came over the cable and no backend knows it: its report stays on the board."""
        return self.id >= FIRST_LOCAL_ID


def parse_job(payload: bytes) -> Job:
    """The job in `payload` (JSON, UTF-8). Raises JobRefusedError with the reason in Portuguese, as it is reported."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise JobRefusedError(f"job acima do limite de {MAX_PAYLOAD_BYTES} bytes", find_job_id(payload))
    data = _load_object(payload)
    job_id: Any = data.get("id")
    if not _is_int(job_id) or not 0 < job_id <= MAX_JOB_ID:
        raise JobRefusedError("job sem id válido")
    raw_items = data.get("itens")
    if not isinstance(raw_items, list) or not raw_items:
        raise JobRefusedError("job sem itens", job_id)
    if len(raw_items) > MAX_ITEMS:
        raise JobRefusedError(f"job com {len(raw_items)} itens acima do limite de {MAX_ITEMS}", job_id)
    items = [_parse_item(raw, number) for number, raw in enumerate(raw_items, 1)]
    return Job(job_id, created_digits(data.get("created_at")), items, _parse_motor(data.get("motor_config")))


def created_digits(created_at: object) -> str:
    """The moment of creation to the second as digits, "" if unknown: tells two jobs of the same id apart."""
    if not isinstance(created_at, str):
        return ""
    return "".join([c for c in created_at if c in "0123456789"])[:_DATE_DIGITS]


def find_job_id(beginning: bytes) -> int:
    """The job's own `"id"` in the beginning of a payload that cannot be read whole; 0 if it does not stand there.

    Only a member of the outermost object counts: an item has an id too, and another job may have that number.
    """
    depth = 0
    position = 0
    while position < len(beginning):
        byte = beginning[position]
        if byte == _QUOTE:
            end = _string_end(beginning, position)
            if depth == 1 and beginning[position:end] == b'"id"':
                return _leading_number(beginning[end : end + _ID_WINDOW])
            position = end
            continue
        if byte in b"{[":
            depth += 1
        elif byte in b"}]":
            depth -= 1
        position += 1
    return 0


def _string_end(text: bytes, start: int) -> int:
    """The position after the closing quote of the JSON string that opens at `start`."""
    position = start + 1
    while position < len(text) and text[position] != _QUOTE:
        position += 2 if text[position] == _BACKSLASH else 1
    return position + 1


def _leading_number(text: bytes) -> int:
    """The whole number in `: 123, …`; 0 if there is none, or it may go on beyond `text`."""
    digits = ""
    for byte in text:
        if byte in b"0123456789":
            digits += chr(byte)
        elif digits or byte not in b" :\t\r\n":
            number = int(digits or "0")
            return number if number <= MAX_JOB_ID and byte in b" ,}\t\r\n" else 0
    return 0


def _load_object(payload: bytes) -> "dict[str, Any]":
    try:
        data = json.loads(payload)
    except (ValueError, RuntimeError):  # RuntimeError: nested too deep
        raise JobRefusedError("job não é JSON válido", find_job_id(payload))
    if not isinstance(data, dict):
        raise JobRefusedError("job não é um objeto JSON")
    return data


def _parse_item(raw: "Any", number: int) -> Item:
    if not isinstance(raw, dict):
        return Item(number, 1, "?", 0, 0, "item inválido")
    ordem = raw.get("ordem")
    jar = raw.get("frasco")
    seconds: Any = raw.get("segundos")
    asked_ms = int(seconds * 1000 + 0.5) if _is_number(seconds, 0, 1_000_000) else 0
    grams = raw.get("quantidade_g")
    return Item(
        ordem if _is_int(ordem) else number,
        jar if _is_jar(jar) else 1,
        _short_text(raw.get("tempero"), _SPICE_CHARACTERS),
        grams if _is_number(grams, 0, 1_000_000) else 0,
        asked_ms,
        _item_error(jar, asked_ms),
    )


def _short_text(value: "Any", limit: int) -> str:
    """Its beginning as text; "?" for what is none: what is nested may be nested too deep to be written."""
    text = str(value) if isinstance(value, (str, int, float)) else ""
    return whole_text(text[: 2 * limit])[:limit] or "?"


def _item_error(jar: "Any", asked_ms: int) -> "str | None":
    """Why the item is not poured, or None. A report with a jar outside 1 to 4 would be refused whole (contract)."""
    if not _is_jar(jar):
        return f"frasco {_short_text(jar, 20)} inválido"
    if asked_ms <= 0:
        return "tempo inválido"
    if asked_ms > MAX_STEP_MS:
        return f"tempo de {asked_ms / 1000:.3f}s acima do limite de {MAX_STEP_MS // 1000}s"
    return None


def _parse_motor(raw: "Any") -> "Motor | None":
    """The vibration's settings, or None where the job has none. Limits are those of `PUT /config/motor`."""
    if not isinstance(raw, dict):
        return None
    return Motor(
        _bounded(raw.get("vibration_intensity"), 0, 100, 0),
        _bounded(raw.get("pre_start_delay_ms"), 0, 5000, 0),
        _bounded(raw.get("post_stop_delay_ms"), 0, 5000, 0),
        _bounded(raw.get("max_runtime_sec"), 30, 600, 300) * 1000,
    )


def _bounded(value: "Any", low: int, high: int, default: int) -> int:
    if not _is_number(value, -1_000_000, 1_000_000):
        return default
    return min(max(int(value), low), high)


def _is_int(value: "Any") -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_jar(value: "Any") -> bool:
    return _is_int(value) and 1 <= value <= JARS


def _is_number(value: "Any", low: float, high: float) -> bool:
    """Whether it is a number in low…high; not a number and the infinities are outside of every range."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
