"""Nothing that a whole run prints holds a secret: the board's lines, the control answers, `inspect-flash`, errors."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.firmware.kitchen import PASSWORD, TOKEN, Kitchen, job, kitchen

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.micropython

WRONG_PASSWORD = "uma-senha-errada"
NEW_TOKEN = "outro-segredo-do-aparelho"
CODE = "918273"
CRASH = """
from firmware import backend
complete = backend.Backend.complete
def fail(self, state):
    backend.Backend.complete = complete
    raise ValueError(self._settings['backend_url'])
backend.Backend.complete = fail
"""


async def run_everything(folder: Path) -> str:
    """A job with its traceback, a refused token and a new claim, wrong Wi-Fi, every question, and two tools."""
    async with kitchen(folder, prelude=CRASH, debug_http=True) as at:
        at.backend.queue.append(job(1, [0.3, 0.3]))
        await at.line("[REPORT] ✓")
        at.backend.token = NEW_TOKEN
        await at.line("[CLAIM] ⚠ Token recusado", within_s=90)
        await at.ask("set_settings", settings={"claim_code": CODE, "colour": CODE})
        await at.ask("set_settings", settings={"claim_code": CODE, "heartbeat_sec": 5})
        await at.line("[CLAIM] ✓")
        await at.ask("set_settings", settings={"ssid": "Cozinha", "password": WRONG_PASSWORD})
        await at.line("[WIFI] ✗")
        for op in ("status", "get_settings", "job_state", "scan"):
            await at.ask(op)
        printed = await inspect(at, folder, "control")
        lines = "\n".join(line.text for line in at.lines)  # what follows is files on their way to the tool
        return lines + printed + await inspect(at, folder, "repl")


async def inspect(at: Kitchen, folder: Path, way: str) -> str:
    """What `dispctl inspect-flash` prints, on both of its outputs."""
    async with at.cable() as url:
        tool = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "dispctl", "inspect-flash", "--via", way, "--port", url, "--json", "-v"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "DISPCTL_SIM_DIR": str(folder)},
        )
        output, _ = await tool.communicate()
    assert output, "inspect-flash printed nothing"
    return output.decode()


def test_no_secret_is_printed(tmp_path: Path) -> None:
    printed = asyncio.run(run_everything(tmp_path))
    assert "Traceback" in printed
    assert "[HTTP] POST /devices/claim" in printed
    for secret in (PASSWORD, WRONG_PASSWORD, TOKEN, NEW_TOKEN, CODE):
        assert secret not in printed, printed
