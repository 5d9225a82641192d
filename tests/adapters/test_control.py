"""Control lines against a board at the end of a pseudo-terminal."""

import itertools
import time
from typing import Any

import pytest

from dispctl.adapters.control import open_control
from dispctl.errors import BoardNotFoundError, BoardRefusedError, BoardSilentError, DispctlError
from tests.fake_board import FakeBoard, running

SECRET = "s3nha-muito-secreta"


def test_an_answer_comes_without_its_number() -> None:
    with (
        running(FakeBoard(status=lambda _: {"state": "online"})) as board,
        open_control(board.port) as control,
    ):
        assert control.request("status") == {"state": "online"}


def test_fields_reach_the_board_whole_however_long() -> None:
    pem = "-----BEGIN CERTIFICATE-----\n" + "QUJD" * 1000
    board = FakeBoard(set_settings=lambda request: {"settings": request["settings"]})
    with running(board), open_control(board.port) as control:
        received = control.request("set_settings", settings={"ca_pem": pem, "ssid": "Çozinha"})
    assert received == {"settings": {"ca_pem": pem, "ssid": "Çozinha"}}


def test_the_first_request_tells_the_time() -> None:
    asked: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return {}

    before = int(time.time())
    with running(FakeBoard(status=answer)) as board, open_control(board.port) as control:
        control.request("status")
        control.request("status")
    assert before <= asked[0]["utc"] <= int(time.time())
    assert "utc" not in asked[1]


def test_a_refusal_is_in_the_boards_words() -> None:
    with (
        running(FakeBoard(clear_job=lambda _: "a job is under way")) as board,
        open_control(board.port) as control,
        pytest.raises(BoardRefusedError, match="The board refused 'clear_job': a job is under way"),
    ):
        control.request("clear_job")


def test_log_lines_go_to_the_callback_and_answers_do_not() -> None:
    board = FakeBoard()

    def answer(_: object) -> dict[str, object]:
        board.print("[EXEC] Item 1/4: Frasco 1 por 5.000s")
        board.print('[CTL] {"id": 999999999, "ok": true}')
        return {}

    board.handlers["status"] = answer
    seen: list[str] = []
    with running(board), open_control(board.port, on_line=seen.append) as control:
        control.request("status")
    assert seen == ["[EXEC] Item 1/4: Frasco 1 por 5.000s"]


def test_a_request_is_sent_again_when_the_first_was_lost() -> None:
    answers = iter([None, {"heap": 1}])
    with running(FakeBoard(status=lambda _: next(answers))) as board, open_control(board.port) as control:
        assert control.request("status") == {"heap": 1}
        assert board.ops == ["status", "status"]


def test_a_garbled_request_is_sent_again_at_once() -> None:
    board = FakeBoard(status=lambda _: {"heap": 1})
    garbling = itertools.chain([True], itertools.repeat(False))
    board.mangle = lambda data: data.replace(b'"id"', b'"i\x00"') if next(garbling) else data
    with running(board), open_control(board.port) as control:
        assert control.request("status", timeout_s=1.5) == {"heap": 1}


def test_a_reset_is_never_sent_twice() -> None:
    with running(FakeBoard(reset=lambda _: None)) as board, open_control(board.port) as control:
        with pytest.raises(BoardSilentError):
            control.request("reset", timeout_s=2.3)
        assert board.ops == ["reset"]


@pytest.mark.parametrize(
    ("printed", "words"),
    [
        (b"", "The board is silent."),
        (b"invalid header: 0xffffffff\r\n" * 3, "flash is empty"),
        (b"waiting for download\r\n", "bootloader"),
        (b">>> \r\n", "MicroPython prompt"),
        (b"\xf3\x80\xfe\x01\x80\xf0\n" * 5, "not readable"),
        (b"hello from another program\r\n", "does not answer"),
    ],
)
def test_silence_is_explained_by_what_came_instead(printed: bytes, words: str) -> None:
    board = FakeBoard()
    board.handlers["status"] = lambda _: board.write(printed)
    with running(board), open_control(board.port) as control:
        with pytest.raises(BoardSilentError, match=words) as failure:
            control.request("status", timeout_s=0.5)
        assert failure.value.hint


def test_a_board_that_goes_away_is_told_as_such() -> None:
    board = FakeBoard()
    with open_control(board.port) as control:
        board.stop()
        with pytest.raises(BoardNotFoundError, match="was lost"):
            control.request("status", timeout_s=2)


def test_what_was_asked_is_in_no_exception_and_no_echo_reaches_the_callback() -> None:
    board = FakeBoard(set_settings=lambda _: None)
    seen: list[str] = []

    def echo(data: bytes) -> bytes:
        board.write(data.replace(b"\n", b"\r\n"))
        return data

    board.mangle = echo
    with (
        running(board),
        open_control(board.port, on_line=seen.append) as control,
        pytest.raises(DispctlError) as failure,
    ):
        control.request("set_settings", settings={"password": SECRET}, timeout_s=0.5)
    told = f"{failure.value} {failure.value.hint} {failure.value!r}"
    assert SECRET not in told + "".join(seen)


def test_listening_hands_the_log_on() -> None:
    seen: list[str] = []
    board = FakeBoard()
    with open_control(board.port, on_line=seen.append) as control:
        board.print("[LOOP] Tentando reportar job pendente...")
        control.listen(0.2)
    board.stop()
    assert seen == ["[LOOP] Tentando reportar job pendente..."]


def test_the_port_is_closed_when_the_block_ends() -> None:
    with running(FakeBoard(status=lambda _: {})) as board:
        with open_control(board.port) as control:
            control.request("status")
        with pytest.raises(BoardNotFoundError, match="was lost"):
            control.request("status")
