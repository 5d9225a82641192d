"""Keys to presses, without a keyboard."""

import pytest

from dispctl.cli.hotkeys import (
    Action,
    FilterTyped,
    Hotkeys,
    KeyEvent,
    MenuLeft,
    MenuOpened,
    Pressed,
    Typed,
    Unmeant,
)

MENU = b"\x14"


def pressed(keys: Hotkeys, typed: bytes) -> list[KeyEvent]:
    """What each byte of `typed` means."""
    return [keys.press(byte) for byte in typed]


@pytest.mark.parametrize("action", [action for action in Action if action is not Action.FILTER])
@pytest.mark.parametrize("form", ["letter", "capital", "control"])
def test_the_menu_takes_letters_with_and_without_ctrl(action: Action, form: str) -> None:
    key = {"letter": action.value, "capital": action.value.upper(), "control": chr(ord(action.value) & 0x1F)}[
        form
    ]
    assert pressed(Hotkeys(), MENU + key.encode()) == [MenuOpened(), Pressed(action)]


@pytest.mark.parametrize(
    ("interactive", "keys", "events"),
    [
        (False, b"\x1d", [Pressed(Action.QUIT)]),
        (True, b"a\r\x1d", [Typed(b"a"), Typed(b"\r"), Pressed(Action.QUIT)]),
        (False, b"ab", [Unmeant(), Unmeant()]),
        (True, b"\x03\x04", [Typed(b"\x03"), Typed(b"\x04")]),
        (True, MENU + MENU + b"x", [MenuOpened(), Typed(MENU), Typed(b"x")]),
        (False, MENU + MENU, [MenuOpened(), MenuLeft()]),
        (True, MENU + b"?" + b"a", [MenuOpened(), MenuLeft(), Typed(b"a")]),
    ],
)
def test_what_keys_mean(interactive: bool, keys: bytes, events: list[KeyEvent]) -> None:
    assert pressed(Hotkeys(interactive=interactive), keys) == events


def test_a_filter_is_typed_edited_and_entered() -> None:
    keys = Hotkeys()
    assert pressed(keys, MENU + b"f")[-1] == FilterTyped("", entered=False)
    assert pressed(keys, "EXé".encode())[-1] == FilterTyped("EXé", entered=False)
    assert pressed(keys, b"\x7f")[-1] == FilterTyped("EX", entered=False)
    assert pressed(keys, b"\x15WIFI\r")[-1] == FilterTyped("WIFI", entered=True)
    assert pressed(keys, b"a") == [Unmeant()]


def test_a_question_is_left_with_escape_and_quitting_works_in_it() -> None:
    keys = Hotkeys()
    assert pressed(keys, MENU + b"fEX\x1b")[-1] == MenuLeft()
    assert pressed(keys, MENU + b"fEX\x1d")[-1] == Pressed(Action.QUIT)
