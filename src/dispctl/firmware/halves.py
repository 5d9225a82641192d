"""Characters that JSON escapes in two halves, put together: MicroPython's parser leaves them apart. Pure.

Halves are no characters: no JSON may hold them, and no network's name does.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HIGH, _LOW = range(0xD800, 0xDC00), range(0xDC00, 0xE000)
_FIRST_WITH_HALVES = 0x10000
_HALF_BITS = 10
_HALF_MASK = 0x3FF


def whole_text(value: "Any") -> str:
    """`value` as text; a half without its other half becomes a question mark."""
    pieces: list[str] = []
    high = 0
    for char in str(value):
        code = ord(char)
        if high and code in _LOW:
            pieces[-1] = chr(_FIRST_WITH_HALVES + ((high & _HALF_MASK) << _HALF_BITS) + (code & _HALF_MASK))
            high = 0
            continue
        high = code if code in _HIGH else 0
        pieces.append("?" if high or code in _LOW else char)
    return "".join(pieces)
