"""The serial line: bytes pass at their sender's speed, and as garbage at another; exact, in virtual time."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.virtual.serial_line import SLICE_S, SerialLine, as_received
from tests.virtual import virtual_time


class Arrivals:
    """A receiver that notes when bytes came."""

    def __init__(self, *, baud: int = 115200, paced: bool = True) -> None:
        self.baud = baud
        self.seen: list[tuple[float, bytes]] = []
        self.line = SerialLine(self._take, lambda: self.baud, paced=paced)

    @property
    def data(self) -> bytes:
        return b"".join(data for _, data in self.seen)

    def _take(self, data: bytes) -> None:
        self.seen.append((asyncio.get_running_loop().time() if self.line.paced else 0.0, data))


@pytest.mark.parametrize("baud", [9600, 115200, 460800, 921600])
def test_bytes_arrive_at_the_senders_speed(baud: int) -> None:
    async def main() -> Arrivals:
        arrivals = Arrivals(baud=baud)
        arrivals.line.write(bytes(5000), baud)
        await asyncio.sleep(60)
        return arrivals

    arrivals = virtual_time.run(main())
    assert arrivals.data == bytes(5000)
    assert arrivals.seen[-1][0] == pytest.approx(5000 * 10 / baud)
    gaps = [
        later - earlier for (earlier, _), (later, _) in zip(arrivals.seen, arrivals.seen[1:], strict=False)
    ]
    assert max(gaps) <= SLICE_S * 1.01


def test_a_short_answer_takes_its_own_time_only() -> None:
    async def main() -> Arrivals:
        arrivals = Arrivals()
        await asyncio.sleep(5)
        arrivals.line.write(b"12345678", 115200)
        await asyncio.sleep(1)
        return arrivals

    ((when, data),) = virtual_time.run(main()).seen
    assert data == b"12345678"
    assert when == pytest.approx(5 + 80 / 115200)


def test_what_was_written_before_a_change_of_speed_passes_at_the_old_one() -> None:
    async def main() -> Arrivals:
        arrivals = Arrivals(baud=115200)
        arrivals.line.write(b"old", 115200)
        arrivals.line.write(b"new", 921600)
        await asyncio.sleep(30 / 115200)
        arrivals.baud = 921600
        await asyncio.sleep(1)
        return arrivals

    arrivals = virtual_time.run(main())
    assert [data for _, data in arrivals.seen] == [b"old", b"new"]
    assert arrivals.seen[-1][0] == pytest.approx(30 / 115200 + 30 / 921600)


def test_a_purge_drops_what_has_not_arrived() -> None:
    async def main() -> Arrivals:
        arrivals = Arrivals()
        arrivals.line.write(bytes(1000), 115200)
        await asyncio.sleep(0.04)
        arrivals.line.purge()
        arrivals.line.write(b"after", 115200)
        await asyncio.sleep(1)
        return arrivals

    arrivals = virtual_time.run(main())
    assert arrivals.data.endswith(b"\0after")
    assert 300 < len(arrivals.data) < 500


def test_a_suspended_line_goes_on_at_its_speed() -> None:
    async def main() -> Arrivals:
        arrivals = Arrivals()
        arrivals.line.suspend(on=True)
        arrivals.line.write(bytes(1000), 115200)
        await asyncio.sleep(1)
        assert not arrivals.seen
        arrivals.line.suspend(on=False)
        await asyncio.sleep(1)
        return arrivals

    arrivals = virtual_time.run(main())
    assert len(arrivals.data) == 1000
    assert arrivals.seen[-1][0] == pytest.approx(1 + 10_000 / 115200)


def test_without_pacing_bytes_arrive_at_once() -> None:
    arrivals = Arrivals(paced=False)
    arrivals.line.write(b"at once", 9600 * 12)
    assert arrivals.data == b"at once"


@given(data=st.binary(max_size=50), baud=st.integers(300, 1_000_000), drift=st.floats(-0.03, 0.03))
def test_a_small_difference_in_speed_does_no_harm(data: bytes, baud: int, drift: float) -> None:
    assert as_received(data, baud, round(baud * (1 + drift))) == data


def test_a_receiver_at_twice_the_speed_reads_each_bit_twice() -> None:
    # 0x55 is 0 1 0 1 0 1 0 1 0 1 on the line, so 00 11 00 11 ... to the receiver: start 0, 0x66, and a stop bit that is
    # 0; after the next high level start 0, six more of those bits and the idle line's ones.
    assert as_received(b"\x55", 57600, 115200) == b"\x66\xe6"


@pytest.mark.parametrize(("sent", "received"), [(115200, 460800), (460800, 115200), (115200, 74880)])
def test_another_speed_makes_garbage(sent: int, received: int) -> None:
    text = b'@dispctl {"id": 1}\r\n'
    garbage = as_received(text, sent, received)
    assert garbage
    assert text not in garbage
    assert len(garbage) <= len(text) * max(1, received / sent) + 1


@given(data=st.binary(max_size=50), sent=st.integers(300, 1_000_000), received=st.integers(300, 1_000_000))
def test_any_two_speeds_give_some_bytes(data: bytes, sent: int, received: int) -> None:
    assert len(as_received(data, sent, received)) <= len(data) * (received / sent + 1) + 1
