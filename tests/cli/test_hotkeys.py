"""Keys to presses, without a keyboard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.cli.hotkeys import Action, FilterTyped, Hotkeys, KeyEvent, MenuLeft, MenuOpened, Pressed, Typed

MENU = b"\x14"


@pytest.mark.parametrize("action", [action for action in Action if action is not Action.FILTER])
@pytest.mark.parametrize("form", ["letter", "capital", "control"])
def test_the_menu_takes_letters_with_and_without_ctrl(action: Action, form: str) -> None:
    key = {"letter": action.value, "capital": action.value.upper(), "control": chr(ord(action.value) & 0x1F)}[
        form
    ]
    assert Hotkeys().feed(MENU + key.encode()) == [MenuOpened(), Pressed(action)]


@pytest.mark.parametrize(
    ("interactive", "keys", "events"),
    [
        (False, b"\x1d", [Pressed(Action.QUIT)]),
        (True, b"abc\r\x1d", [Typed(b"abc\r"), Pressed(Action.QUIT)]),
        (False, b"abc", []),
        (True, b"\x03\x04", [Typed(b"\x03\x04")]),
        (True, MENU + MENU + b"x", [MenuOpened(), Typed(MENU + b"x")]),
        (False, MENU + MENU, [MenuOpened(), MenuLeft()]),
        (True, MENU + b"?" + b"a", [MenuOpened(), MenuLeft(), Typed(b"a")]),
    ],
)
def test_what_keys_mean(interactive: bool, keys: bytes, events: list[KeyEvent]) -> None:
    assert Hotkeys(interactive=interactive).feed(keys) == events


def test_a_filter_is_typed_edited_and_entered() -> None:
    keys = Hotkeys()
    assert keys.feed(MENU + b"f")[-1] == FilterTyped("", entered=False)
    assert keys.feed("EXé".encode())[-1] == FilterTyped("EXé", entered=False)
    assert keys.feed(b"\x7f")[-1] == FilterTyped("EX", entered=False)
    assert keys.feed(b"\x15WIFI\r")[-1] == FilterTyped("WIFI", entered=True)
    assert keys.feed(b"a") == []


def test_a_question_is_left_with_escape_and_quitting_works_in_it() -> None:
    keys = Hotkeys()
    assert keys.feed(MENU + b"fEX\x1b")[-1] == MenuLeft()
    assert keys.feed(MENU + b"fEX\x1d")[-1] == Pressed(Action.QUIT)


@given(st.lists(st.binary(max_size=10), max_size=8), st.booleans())
def test_how_keys_are_delivered_does_not_matter(pieces: list[bytes], interactive: bool) -> None:
    at_once = Hotkeys(interactive=interactive).feed(b"".join(pieces))
    one_by_one = Hotkeys(interactive=interactive)
    events = [event for piece in pieces for event in one_by_one.feed(piece)]
    assert joined(events) == joined(at_once)


def joined(events: list[KeyEvent]) -> list[KeyEvent | bytes]:
    """The events, typing taken apart into single bytes."""
    taken: list[KeyEvent | bytes] = []
    for event in events:
        taken += [bytes((byte,)) for byte in event.data] if isinstance(event, Typed) else [event]
    return taken
