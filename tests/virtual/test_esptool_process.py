"""The released esptool, unmodified, as a process of its own: every command over the pty, the main ones over RFC 2217.

The pty is where nothing waits: pyserial's RFC 2217 client makes a session last some 20 seconds, nearly all of them spent
asleep. ``python -m tests.virtual.tool_matrix`` tries every command by both ways and with the oldest release too.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.virtual import esptool_commands
from tests.virtual.esptool_commands import COMMANDS, Esptool
from tests.virtual.tool_rig import PTY, RFC2217, rig_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.micropython  # boots what was written

ESPTOOL = [sys.executable, "-m", "esptool"]
OVER_RFC2217 = [
    esptool_commands.flash_id,
    esptool_commands.read_flash,
    esptool_commands.write_flash,
    esptool_commands.write_flash_without_stub,
]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a pseudo-terminal as Linux makes them")
@pytest.mark.parametrize("command", COMMANDS)
def test_over_the_pty(tmp_path: Path, command: Callable[[Esptool], None]) -> None:
    with rig_in(tmp_path) as rig:
        command(Esptool(ESPTOOL, rig, PTY))


def test_over_rfc2217(tmp_path: Path) -> None:
    with ExitStack() as stack:
        tools = []
        for command in OVER_RFC2217:
            folder = tmp_path / command.__name__
            folder.mkdir()
            tools.append(Esptool(ESPTOOL, stack.enter_context(rig_in(folder)), RFC2217))
        pool = stack.enter_context(ThreadPoolExecutor(len(tools)))
        tried = [pool.submit(command, tool) for command, tool in zip(OVER_RFC2217, tools, strict=True)]
        errors = [attempt.exception() for attempt in tried]
    failed = {command.__name__: error for command, error in zip(OVER_RFC2217, errors, strict=True) if error}
    assert not failed, "\n\n".join(f"{name}: {error}" for name, error in failed.items())
