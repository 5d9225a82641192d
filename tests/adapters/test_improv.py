"""The Improv client against a device that is played: answers, log lines between them, silence, refusals, unplugging."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.adapters import improv as client
from dispctl.adapters.improv import Frame, FrameSplitter, ImprovLine
from dispctl.errors import BoardNotFoundError, BoardRefusedError, BoardSilentError
from dispctl.firmware import improv
from dispctl.operations.improv import DeviceJoined, find_device, join, scan_networks
from dispctl.operations.provision import Network, WifiCredentials

STATE_READY = improv.format_frame(improv.CURRENT_STATE, b"\x02")
NO_ERROR = improv.format_frame(improv.ERROR_STATE, b"\x00")
INFO = improv.format_result(improv.GET_INFO, ["WLED", "0.15.0", "esp32", "Lamp"])


class PlayedDevice:
    """A serial port behind which a device answers commands, but the first `deaf_to`, with the bytes of `answers`."""

    name = "played"
    timeout: float | None = 0.01
    baudrate = 115200
    dtr = rts = True

    def __init__(self, answers: dict[int, bytes]) -> None:
        self.answers = answers
        self.unplugged = False
        self.deaf_to = 0
        self.commands: list[int] = []
        self._outgoing = bytearray()

    @property
    def in_waiting(self) -> int:
        return len(self._outgoing)

    def read(self, size: int = 1) -> bytes:
        if self.unplugged:
            raise OSError("gone")
        data = bytes(self._outgoing[:size])
        del self._outgoing[:size]
        return data

    def write(self, data: bytes) -> int:
        for part in FrameSplitter().feed(data):
            if isinstance(part, Frame):
                command, _ = improv.parse_command(part.data)
                self.commands.append(command)
                if len(self.commands) > self.deaf_to:
                    self._outgoing += self.answers.get(command, b"")
        return len(data)

    def reset_input_buffer(self) -> None:
        self._outgoing.clear()

    def close(self) -> None:
        """Nothing to give back."""


def test_a_device_tells_who_it_is_between_its_log_lines() -> None:
    log: list[str] = []
    device = PlayedDevice(
        {improv.GET_STATE: b"boot\r\nI am IMPROving\r\n" + NO_ERROR + STATE_READY, improv.GET_INFO: INFO}
    )
    found = find_device(ImprovLine(device, on_line=log.append))
    assert (found.firmware, found.version, found.chip, found.name, found.state) == (
        "WLED", "0.15.0", "esp32", "Lamp", "ready",
    )  # fmt: skip
    assert log == ["boot", "I am IMPROving"]


def test_a_device_that_is_slow_to_start_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "RESEND_AFTER_S", 0.02)
    device = PlayedDevice({improv.GET_STATE: NO_ERROR + STATE_READY})
    device.deaf_to = 3
    assert ImprovLine(device).current_state() == improv.READY
    assert device.commands == [improv.GET_STATE] * 4


def test_where_no_device_is_it_is_said() -> None:
    with pytest.raises(BoardSilentError, match="speaks Improv Serial"):
        ImprovLine(PlayedDevice({})).current_state(timeout_s=0.05)


def test_networks_come_strongest_first() -> None:
    results = [
        ["Far", "-80", "YES"],
        ["Near", "-40", "NO"],
        ["Far", "-85", "YES"],
        ["", "-10", "YES"],
        ["Odd"],
        [],
    ]
    scanned = b"".join(improv.format_result(improv.SCAN, texts) for texts in results)
    assert scan_networks(ImprovLine(PlayedDevice({improv.SCAN: scanned}))) == [
        Network("Near", -40, is_open=True),
        Network("Far", -80, is_open=False),
        Network("Odd", -100, is_open=False),
    ]


def test_a_join_ends_with_where_to_go_on() -> None:
    joined = improv.format_frame(improv.CURRENT_STATE, b"\x04") + improv.format_result(
        improv.SEND_WIFI, ["http://10.0.0.7"]
    )
    device = PlayedDevice({improv.SEND_WIFI: NO_ERROR + joined})
    (event,) = join(ImprovLine(device), WifiCredentials("Cozinha", "tempero123"))
    assert event == DeviceJoined("Cozinha", ("http://10.0.0.7",))


@pytest.mark.parametrize(
    ("code", "words"), [(3, "could not connect"), (2, "does not know"), (99, "no reason")]
)
def test_a_refusal_is_said_in_words(code: int, words: str) -> None:
    device = PlayedDevice({improv.SEND_WIFI: improv.format_frame(improv.ERROR_STATE, bytes((code,)))})
    with pytest.raises(BoardRefusedError, match=words):
        list(join(ImprovLine(device), WifiCredentials("Cozinha", "tempero123")))


def test_silence_and_unplugging_are_told_apart() -> None:
    device = PlayedDevice({})
    with pytest.raises(BoardSilentError):
        ImprovLine(device).texts(improv.GET_INFO, timeout_s=0.05)
    device.unplugged = True
    with pytest.raises(BoardNotFoundError):
        ImprovLine(device).texts(improv.GET_INFO, timeout_s=0.05)


@given(
    st.lists(st.binary(max_size=30).filter(lambda data: b"I" not in data) | st.just(NO_ERROR), max_size=6),
    st.data(),
)
def test_frames_and_log_are_told_apart_however_they_are_cut(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)
    cut = data.draw(st.integers(0, len(whole)))
    splitter = FrameSplitter()
    found = splitter.feed(whole[:cut]) + splitter.feed(whole[cut:])
    assert sum(isinstance(part, Frame) for part in found) == parts.count(NO_ERROR)
    log = b"".join(part for part in found if isinstance(part, bytes))
    assert log == b"".join(b"\n\n" if part == NO_ERROR else part for part in parts)


@given(st.binary(max_size=300))
def test_nothing_on_the_line_makes_it_fail(data: bytes) -> None:
    assert isinstance(FrameSplitter().feed(data + improv.HEADER + data), list)
