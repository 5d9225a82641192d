"""Bytes to lines, whatever the pieces they come in."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dispctl.logs.lines import LineAssembler, SerialLine, printable

PIECES = st.lists(st.binary(max_size=40) | st.just(b"\r\n") | st.just(b"\n"), max_size=20)


def lines_of(*pieces: bytes, limit: int = 8192) -> list[SerialLine[int]]:
    """What an assembler makes of `pieces`, each received at the moment of its number."""
    assembler: LineAssembler[int] = LineAssembler(limit)
    lines = [line for moment, piece in enumerate(pieces) for line in assembler.feed(piece, moment)]
    return lines + assembler.flush()


def test_a_line_keeps_the_moment_of_its_first_byte() -> None:
    assert lines_of(b"[PO", b"LL] a\r\n[EX", b"", b"EC] b\n") == [
        SerialLine(b"[POLL] a", 0),
        SerialLine(b"[EXEC] b", 1),
    ]


def test_an_empty_line_is_a_line() -> None:
    assert [line.data for line in lines_of(b"a\n\r\nb\n")] == [b"a", b"", b"b"]


def test_a_line_without_an_end_is_cut_at_the_limit_and_goes_on() -> None:
    assert lines_of(b"abcdefgh", b"ij\nk\n", limit=4) == [
        SerialLine(b"abcd", 0, begins=True, ends=False),
        SerialLine(b"efgh", 0, begins=False, ends=False),
        SerialLine(b"ij", 1, begins=False, ends=True),
        SerialLine(b"k", 1),
    ]


def test_what_follows_a_flush_continues_the_line_and_what_follows_a_restart_begins_one() -> None:
    assembler: LineAssembler[int] = LineAssembler()
    assembler.feed(b">>> ", 0)
    assert assembler.flush() == [SerialLine(b">>> ", 0, ends=False)]
    assert assembler.feed(b"1\n", 1) == [SerialLine(b"1", 1, begins=False)]
    assembler.feed(b"half", 2)
    assert assembler.restart() == [SerialLine(b"half", 2, ends=False)]
    assert assembler.feed(b"whole\n", 3) == [SerialLine(b"whole", 3)]


def test_a_restart_with_nothing_waiting_still_begins_a_line() -> None:
    assembler: LineAssembler[int] = LineAssembler(limit=2)
    assembler.feed(b"abc", 0)
    assembler.flush()
    assert assembler.restart() == []
    assert assembler.feed(b"d\n", 1)[0].begins


@given(PIECES, st.integers(1, 50))
def test_no_byte_is_lost_or_moved(pieces: list[bytes], limit: int) -> None:
    lines = lines_of(*pieces, limit=limit)
    joined = b"".join(line.data + (b"\n" if line.ends else b"") for line in lines)
    assert joined.replace(b"\r", b"") == b"".join(pieces).replace(b"\r", b"")
    assert all(len(line.data) <= limit for line in lines)


@given(PIECES)
def test_how_the_bytes_are_cut_changes_no_line(pieces: list[bytes]) -> None:
    whole = [line.data for line in lines_of(b"".join(pieces))]
    assert [line.data for line in lines_of(*pieces)] == whole


@given(PIECES)
def test_each_line_begins_where_the_one_before_it_ended(pieces: list[bytes]) -> None:
    lines = lines_of(*pieces, limit=7)
    assert all(after.begins == before.ends for before, after in pairwise(lines))


def test_bytes_that_are_no_text_are_shown_and_cannot_act_on_a_terminal() -> None:
    assert printable(b"\xff ol\xc3\xa1 \x1b[2J\x07\r\t.") == "\\xff olá \\x1b[2J\\x07\\x0d\t."


def test_colours_that_the_board_prints_are_taken_out() -> None:
    assert printable(b"\x1b[0;32mI (31) boot: hi\x1b[0m") == "I (31) boot: hi"


@given(st.binary(max_size=200))
def test_printable_text_is_printable(data: bytes) -> None:
    assert all(char in "\t\n" or char.isprintable() or ord(char) >= 0xA0 for char in printable(data))
