"""A port over time: data, unplugging, coming back; never a byte written."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dispctl.adapters.port_reader import Closed, Opened, PortItem, PortReaders, Quiet, Received, read_port
from dispctl.errors import BoardNotFoundError
from tests.fake_board import FakeBoard

PATIENCE_S = 5


def take_until(items: "object", wanted: Callable[[PortItem], bool]) -> list[PortItem]:
    """The items up to the first one `wanted`; fails, showing what came, when it does not come in time."""
    taken: list[PortItem] = []
    deadline = time.monotonic() + PATIENCE_S
    for item in items:  # type: ignore[attr-defined]
        taken.append(item)
        if wanted(item):
            return taken
        assert time.monotonic() < deadline, f"not seen in {PATIENCE_S} s; seen: {taken[-5:]}"
    raise AssertionError(f"the items ended: {taken[-5:]}")


def test_what_the_board_prints_comes_through_and_nothing_is_typed() -> None:
    board = FakeBoard()
    items = read_port(board.port)
    assert isinstance(next(items), Opened)
    board.print("hello")
    taken = take_until(items, lambda item: isinstance(item, Received) and b"\n" in item.data)
    assert b"".join(item.data for item in taken if isinstance(item, Received)) == b"hello\r\n"
    items.close()
    board.start()
    board.stop()
    assert board.requests == []


def test_a_silent_board_lets_its_watcher_look_at_the_clock() -> None:
    board = FakeBoard()
    items = read_port(board.port)
    assert isinstance(take_until(items, lambda item: isinstance(item, Quiet))[-1], Quiet)
    items.close()
    board.stop()


def test_a_board_that_is_unplugged_is_picked_up_again(tmp_path: Path) -> None:
    cable = tmp_path / "cable"
    first, second = FakeBoard(), FakeBoard()
    cable.symlink_to(first.port)
    items = read_port(str(cable))
    take_until(items, lambda item: isinstance(item, Opened))
    cable.unlink()
    first.stop()
    take_until(items, lambda item: isinstance(item, Closed))
    take_until(items, lambda item: isinstance(item, Quiet))
    cable.symlink_to(second.port)
    back = take_until(items, lambda item: isinstance(item, Opened))[-1]
    assert isinstance(back, Opened)
    assert back.again
    second.print("again")
    taken = take_until(items, lambda item: isinstance(item, Received))[-1]
    assert isinstance(taken, Received)
    assert taken.data.startswith(b"a")
    items.close()
    second.stop()


def test_a_port_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(BoardNotFoundError):
        next(read_port(str(tmp_path / "none")))


def test_several_ports_are_told_apart() -> None:
    boards = {"a": FakeBoard(), "b": FakeBoard()}
    ports = PortReaders({label: board.port for label, board in boards.items()})
    for label, board in boards.items():
        board.print(f"I am {label}")
    heard = {"a": b"", "b": b""}
    deadline = time.monotonic() + PATIENCE_S
    for label, item in ports.items():
        heard[label] += item.data if isinstance(item, Received) else b""
        if all(data.endswith(b"\n") for data in heard.values()):
            break
        assert time.monotonic() < deadline, heard
    assert heard == {"a": b"I am a\r\n", "b": b"I am b\r\n"}
    ports.close()
    for board in boards.values():
        board.stop()


def test_one_port_of_several_that_is_not_there_closes_the_others(tmp_path: Path) -> None:
    board = FakeBoard()
    with pytest.raises(BoardNotFoundError):
        PortReaders({"a": board.port, "b": str(tmp_path / "none")})
    items = read_port(board.port)
    assert isinstance(next(items), Opened)
    items.close()
    board.stop()


def test_typing_and_resetting_a_lost_board_is_a_failure(tmp_path: Path) -> None:
    cable = tmp_path / "cable"
    board = FakeBoard()
    cable.symlink_to(board.port)
    ports = PortReaders({"a": str(cable)})
    cable.unlink()
    board.stop()
    take_until((item for _, item in ports.items()), lambda item: isinstance(item, Closed))
    take_until((item for _, item in ports.items()), lambda item: isinstance(item, Quiet))
    with pytest.raises(BoardNotFoundError):
        ports.write("a", b"x")
    with pytest.raises(BoardNotFoundError):
        ports.reset("a")
    ports.close()
