"""The reset circuit under the line sequences of the tools that drive it, step by step in virtual time."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.virtual.reset_circuit import EN_RISE_S, ResetCircuit, Strapping

Step: TypeAlias = tuple[str, bool] | float  # a line and its new state, or seconds that pass

RFC_2217_WAIT_S = 0.05  # pyserial's client waits this long, or longer, after each line

# esptool's and esp-idf-monitor's way into download mode, line by line (the DTR write after each RTS write included)
CLASSIC_RESET: list[Step] = [
    ("dtr", False), ("rts", True), ("dtr", False), 0.1,
    ("dtr", True), ("rts", False), ("dtr", True), 0.05,
    ("dtr", False),
]  # fmt: skip
HARD_RESET: list[Step] = [("rts", True), 0.1, ("rts", False)]
OPEN: list[Step] = [("dtr", True), ("rts", True)]  # pyserial's default, so mpremote's and miniterm's
OPEN_RELEASED: list[Step] = [("dtr", False), ("rts", False)]
CLOSE: list[Step] = [
    ("rts", False),
    ("dtr", False),
]  # mpremote's, and what the server does when a client vanishes


class Rig:
    """A circuit whose owner calls `settle` in time, as a list of what the chip did."""

    def __init__(self, wait_s: float = RFC_2217_WAIT_S) -> None:
        self.circuit = ResetCircuit()
        self.now_s = 100.0
        self.log: list[str] = []
        self._lines = {"dtr": False, "rts": False}
        self._wait_s = wait_s

    def play(self, *sequences: list[Step]) -> list[str]:
        """What happened since the last call: "reset", "run", "download"."""
        self.log = []
        for sequence in sequences:
            for step in sequence:
                if isinstance(step, float):
                    self._pass(step)
                else:
                    self._set(*step)
                    self._pass(self._wait_s)
        return self.log

    def _set(self, line: str, state: bool) -> None:
        self._lines[line] = state
        before = self.circuit.in_reset
        started = self.circuit.change(dtr=self._lines["dtr"], rts=self._lines["rts"], now_s=self.now_s)
        self._note(started)
        if self.circuit.in_reset and not before:
            self.log.append("reset")

    def _pass(self, seconds: float) -> None:
        self.now_s += seconds
        self._note(self.circuit.settle(self.now_s))

    def _note(self, started: Strapping | None) -> None:
        if started is not None:
            self.log.append(started.value)


@pytest.mark.parametrize("before", [[], OPEN, OPEN_RELEASED])
@pytest.mark.parametrize("wait_s", [0.0001, RFC_2217_WAIT_S, 0.15])
def test_the_classic_reset_enters_download_mode(before: list[Step], wait_s: float) -> None:
    rig = Rig(wait_s)
    rig.play(before)
    assert rig.play(CLASSIC_RESET, [1.0]) == ["reset", "download"]


def test_the_tight_reset_of_a_local_port_enters_download_mode() -> None:
    circuit = ResetCircuit()
    states = [(False, False), (True, True), (False, True), (True, False), (False, False)]
    seen = [circuit.change(dtr=dtr, rts=rts, now_s=0.05 * index) for index, (dtr, rts) in enumerate(states)]
    assert seen == [None, None, None, Strapping.DOWNLOAD, None]


def test_a_hard_reset_runs_the_program_again() -> None:
    rig = Rig()
    rig.play(OPEN, CLASSIC_RESET)
    assert rig.play(HARD_RESET) == ["reset", "run"]


@pytest.mark.parametrize(
    "session",
    [
        pytest.param([OPEN, CLOSE], id="mpremote"),
        pytest.param([OPEN], id="miniterm"),
        pytest.param([OPEN_RELEASED, CLOSE], id="miniterm --dtr 0 --rts 0"),
        pytest.param([OPEN, [("rts", False)], [("rts", True)], CLOSE], id="miniterm's Ctrl-T Ctrl-R twice"),
    ],
)
def test_opening_and_closing_a_port_resets_nothing(session: list[list[Step]]) -> None:
    assert Rig().play(*session, [2.0]) == []


def test_releasing_dtr_alone_holds_the_chip_in_reset() -> None:
    rig = Rig()
    assert rig.play(OPEN, [("dtr", False)], [5.0]) == ["reset"]
    assert rig.circuit.in_reset


def test_with_both_asserted_again_the_chip_runs_after_the_capacitor_has_charged() -> None:
    rig = Rig(0.0)
    assert rig.play(OPEN, [("dtr", False)], [("dtr", True)], [EN_RISE_S * 0.9]) == ["reset"]
    assert rig.play([EN_RISE_S * 0.2]) == ["run"]


def test_io0_is_low_only_while_dtr_alone_is_asserted() -> None:
    circuit = ResetCircuit()
    seen = {}
    for dtr in (False, True):
        for rts in (False, True):
            circuit.change(dtr=dtr, rts=rts, now_s=0)
            seen[dtr, rts] = circuit.download
    assert seen == {(False, False): False, (False, True): False, (True, False): True, (True, True): False}


@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["dtr", "rts"]), st.booleans()), st.floats(0.001, 1.0, allow_nan=False)
        ),
        max_size=40,
    )
)
def test_whatever_the_lines_do_a_start_follows_a_reset_and_a_reset_a_start(steps: list[Step]) -> None:
    rig = Rig(0.0)
    log = rig.play(steps, [1.0])
    starts = ["start" if entry in ("run", "download") else entry for entry in log]
    assert all(one != other for one, other in pairwise(starts))
    assert not starts or starts[0] == "reset"
