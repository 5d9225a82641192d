"""The released mpremote, unmodified, as a process of its own: every command over the pty, the main ones over RFC 2217.

``python -m tests.virtual.tool_matrix`` tries every command by both ways and with the oldest release too.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.virtual import mpremote_commands
from tests.virtual.mpremote_commands import COMMANDS, IMAGE, Mpremote
from tests.virtual.tool_rig import PTY, RFC2217, rig_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.micropython

MPREMOTE = [sys.executable, "-m", "mpremote"]
OVER_RFC2217 = [
    mpremote_commands.exec_and_eval,
    mpremote_commands.fs_cp_and_sha256sum,
    mpremote_commands.mount,
]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a pseudo-terminal as Linux makes them")
@pytest.mark.parametrize("command", COMMANDS)
def test_over_the_pty(tmp_path: Path, command: Callable[[Mpremote], None]) -> None:
    with rig_in(tmp_path, image=IMAGE) as rig:
        command(Mpremote(MPREMOTE, rig, PTY))


@pytest.mark.parametrize("command", OVER_RFC2217)
def test_over_rfc2217(tmp_path: Path, command: Callable[[Mpremote], None]) -> None:
    with rig_in(tmp_path, image=IMAGE) as rig:
        command(Mpremote(MPREMOTE, rig, RFC2217))
