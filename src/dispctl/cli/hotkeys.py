"""What keys mean while a log is shown: a pure machine from bytes to presses. Knows neither keyboard nor screen.

Ctrl-] leaves and Ctrl-T opens the menu, as in miniterm and esp-idf-monitor; the letter after it may be typed with or
without Ctrl. Everything else is typed to the board, or nothing where nothing may be typed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

QUIT_BYTE = 0x1D
MENU_BYTE = 0x14
_ENTER = b"\r\n"
_LEAVE = b"\x1b\x03"
_BACKSPACE = b"\x7f\x08"
_CLEAR_BYTE = 0x15
_LONGEST_FILTER_BYTES = 200


class Action(Enum):
    """What the menu offers; the value is the key, with or without Ctrl."""

    HELP = "h"
    RESET = "r"
    PAUSE = "y"
    LOG = "l"
    TIMESTAMPS = "i"
    LEVEL = "v"
    FILTER = "f"
    QUIT = "x"


@dataclass(frozen=True)
class Pressed:
    """Something was chosen."""

    action: Action


@dataclass(frozen=True)
class MenuOpened:
    """The next key chooses."""


@dataclass(frozen=True)
class MenuLeft:
    """The menu or the question is left without a choice."""


@dataclass(frozen=True)
class Typed:
    """Keys for the board."""

    data: bytes


@dataclass(frozen=True)
class FilterTyped:
    """The filter as typed so far; `entered` when Enter was pressed."""

    text: str
    entered: bool


@dataclass(frozen=True)
class Unmeant:
    """A key that means nothing here."""


KeyEvent = Pressed | MenuOpened | MenuLeft | Typed | FilterTyped | Unmeant

_ACTIONS = {ord(action.value): action for action in Action} | {
    ord(action.value) & 0x1F: action for action in Action
}


class Hotkeys:
    """`press` each byte that the keyboard delivers; with `interactive` false nothing is ever `Typed`."""

    def __init__(self, *, interactive: bool = False) -> None:
        self._interactive = interactive
        self._menu = False
        self._filter: bytearray | None = None

    def press(self, byte: int) -> KeyEvent:
        """What a key, or the next byte of one, means."""
        if byte == QUIT_BYTE:
            return Pressed(Action.QUIT)
        if self._filter is not None:
            return self._edit_filter(self._filter, byte)
        if self._menu:
            self._menu = False
            return self._choose(byte)
        if byte == MENU_BYTE:
            self._menu = True
            return MenuOpened()
        return Typed(bytes((byte,))) if self._interactive else Unmeant()

    def _choose(self, byte: int) -> KeyEvent:
        if byte == MENU_BYTE and self._interactive:
            return Typed(bytes((byte,)))
        action = _ACTIONS.get(byte | 0x20 if 0x41 <= byte <= 0x5A else byte)  # noqa: PLR2004 - A to Z
        if action is None:
            return MenuLeft()
        if action is Action.FILTER:
            self._filter = bytearray()
            return FilterTyped("", entered=False)
        return Pressed(action)

    def _edit_filter(self, typed: bytearray, byte: int) -> KeyEvent:
        if byte in _LEAVE:
            self._filter = None
            return MenuLeft()
        if byte in _ENTER:
            self._filter = None
            return FilterTyped(_text(typed), entered=True)
        if byte in _BACKSPACE:
            _drop_last(typed)
        elif byte == _CLEAR_BYTE:
            typed.clear()
        elif byte >= 0x20 and len(typed) < _LONGEST_FILTER_BYTES:  # noqa: PLR2004 - what is printed
            typed.append(byte)
        return FilterTyped(_text(typed), entered=False)


def _drop_last(typed: bytearray) -> None:
    """One character, which may have several bytes."""
    while typed and typed.pop() & 0xC0 == 0x80:  # noqa: PLR2004 - UTF-8's continuation bytes
        pass


def _text(typed: bytearray) -> str:
    return typed.decode("utf-8", "replace")
