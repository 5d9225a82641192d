"""``dispctl provision`` as it is typed, with the embedded backend and a board whose firmware is played by the tests."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from dispctl.adapters import improv
from tests.cli.conftest import Shell
from tests.fake_board import running
from tests.fake_firmware import CODE, PASSWORD, SSID, UID, FakeFirmware
from tests.terminal import terminal


@pytest.fixture
def firmware(backend_url: str) -> Iterator[FakeFirmware]:
    """A board that claims and is heard from at the backend when it got that far."""
    played = FakeFirmware()

    def claim(code: str) -> None:
        asked = {"uid": UID, "claim_code": code, "fw_version": "0.1.0", "mac": "24:6f:28:d1:5c:01"}
        token = (
            httpx.post(f"{backend_url}/devices/claim", json=asked).raise_for_status().json()["device_token"]
        )
        beat = {"fw_version": "0.1.0", "status": {}}
        headers = {"Authorization": f"Bearer {token}"}
        httpx.post(f"{backend_url}/devices/me/heartbeat", json=beat, headers=headers).raise_for_status()

    played.on_claim = claim
    with running(played.board):
        yield played


def test_a_board_is_provisioned_and_seen_online(operator: Shell, firmware: FakeFirmware) -> None:
    arguments = ("provision", "-p", firmware.board.port, "--ssid", SSID, "--password-stdin", "--json")
    shown = operator.run(*arguments, stdin=PASSWORD + "\n")
    assert json.loads(shown.stdout) == {
        "uid": UID, "version": "0.1.0", "ssid": SSID, "joined": True, "rssi_dbm": -50, "backend": operator.backend,
        "claimed": True, "online": True,
    }  # fmt: skip
    assert firmware.password == PASSWORD
    assert PASSWORD not in shown.output


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("wifi.toml", f'ssid = "{SSID}"\npassword = "{PASSWORD}"\n'),
        ("wifi.json", json.dumps({"ssid": SSID, "password": PASSWORD})),
    ],
)
def test_credentials_come_from_a_file(operator: Shell, firmware: FakeFirmware, name: str, text: str) -> None:
    (operator.folder / name).write_text(text)
    operator.done("provision", "-p", firmware.board.port, "--credentials", name, "-q")
    assert (firmware.joined, firmware.password) == (SSID, PASSWORD)


def test_the_password_comes_from_the_environment(operator: Shell, firmware: FakeFirmware) -> None:
    operator.environment["SENHA"] = PASSWORD
    operator.done("provision", "-p", firmware.board.port, "--ssid", SSID, "--password-env", "SENHA")
    assert firmware.password == PASSWORD


def test_the_actuator_is_chosen(operator: Shell, firmware: FakeFirmware) -> None:
    arguments = ("provision", "-p", firmware.board.port, "--ssid", SSID, "--password-stdin")
    shown = operator.run(*arguments, "--actuator", "relay-active-low", stdin=PASSWORD)
    assert (shown.exit_code, firmware.settings["actuator"]) == (0, {"kind": "relay", "active_high": False})
    assert "✓ it knows its actuator\n" in shown.output
    shown = operator.run(*arguments, "--actuator", "servo", stdin=PASSWORD)
    assert (shown.exit_code, firmware.settings["actuator"]) == (0, {"kind": "servo"})
    assert "✓ it knows its actuator, from its next start on\n" in shown.output


def test_a_claim_code_serves_without_a_login(shell: Shell, operator: Shell, firmware: FakeFirmware) -> None:
    with operator.client() as client:
        code = client.post("/devices/claims").json()["code"]
    operator.done("logout")
    arguments = (
        "provision",
        "-p",
        firmware.board.port,
        "--ssid",
        SSID,
        "--password-stdin",
        "--claim-code",
        code,
    )
    shown = shell.run(*arguments, "--json", stdin=PASSWORD)
    assert (shown.exit_code, json.loads(shown.stdout)["online"]) == (0, None)


def test_who_is_not_logged_in_is_told_before_the_board_is_touched(
    shell: Shell, firmware: FakeFirmware
) -> None:
    told = shell.refused(
        7, "provision", "-p", firmware.board.port, "--ssid", SSID, "--password-stdin", stdin=PASSWORD
    )
    assert "dispctl login" in told
    assert firmware.board.requests == []


def test_a_wrong_password_has_its_reason_and_code(operator: Shell, firmware: FakeFirmware) -> None:
    firmware.wifi_reason = "wrong_password"
    told = operator.refused(
        4, "provision", "-p", firmware.board.port, "--ssid", SSID, "--password-stdin", stdin=PASSWORD
    )
    assert "does not accept this password" in told
    assert PASSWORD not in told


def test_a_board_with_a_job_moves_only_with_its_backend(operator: Shell, firmware: FakeFirmware) -> None:
    firmware.job = 7
    arguments = ("provision", "-p", firmware.board.port, "--ssid", SSID, "--password-stdin")
    assert "--same-backend" in operator.refused(4, *arguments, stdin=PASSWORD)
    operator.done(*arguments, "--same-backend", stdin=PASSWORD)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "--ssid NAME"),
        (("--ssid", SSID), "--password-stdin"),
        (("--ssid", SSID, "--password-env", "NOT_SET_ANYWHERE"), "NOT_SET_ANYWHERE"),
        (("--ssid", SSID, "--password-stdin", "--password-env", "SENHA"), "one place only"),
        (("--ssid", SSID, "--password-stdin", "--credentials", "wifi.toml"), "one place only"),
        (("--credentials", "none.toml"), "cannot be read"),
        (("--credentials", "broken.toml"), "neither TOML nor JSON"),
        (("--credentials", "number.json"), "must be texts"),
        (("--ssid", SSID, "--password-stdin", "--ca", "none.pem"), "cannot be read"),
        (("--ssid", SSID, "--password-stdin", "--ca", "broken.toml"), "no certificate"),
        (("--ssid", "x" * 33, "--password-stdin"), "1 to 32 bytes"),
    ],
)
def test_what_cannot_be_meant_is_said_and_changes_nothing(
    operator: Shell, firmware: FakeFirmware, options: tuple[str, ...], words: str
) -> None:
    (operator.folder / "broken.toml").write_text(f'ssid = "{SSID}"\npassword = {PASSWORD}\n')
    (operator.folder / "number.json").write_text('{"ssid": "x", "password": 12345678}')
    told = operator.refused(2, "provision", "-p", firmware.board.port, *options, stdin=PASSWORD)
    assert words in told
    assert PASSWORD not in told
    assert "set_settings" not in firmware.board.ops


def test_a_loopback_address_is_remarked_on_for_a_real_port(operator: Shell, firmware: FakeFirmware) -> None:
    arguments = ("provision", "-p", firmware.board.port, "--ssid", SSID, "--password-stdin")
    assert "--board-backend" in operator.run(*arguments, stdin=PASSWORD).stderr


def test_settings_are_shown_without_secrets(shell: Shell, firmware: FakeFirmware) -> None:
    assert shell.json("provision", "-p", firmware.board.port, "--show")["password"] is True
    shown = shell.done("provision", "-p", firmware.board.port, "--show")
    assert "old-password" not in shown
    assert "password" in shown


def test_a_person_chooses_a_network_and_types_its_password(
    operator: Shell, firmware: FakeFirmware, tmp_path: Path
) -> None:
    surroundings = {"DISPCTL_STATE_DIR": str(tmp_path / "state"), "DISPCTL_BACKEND": operator.backend}
    with terminal("provision", "-p", firmware.board.port, **surroundings) as screen:
        screen.wait_for("Network (1-3, or a name)")
        assert screen.screen.index(SSID) < screen.screen.index("Aberta") < screen.screen.index("Vizinho")
        screen.type("1\r")
        screen.wait_for(f"Password of {SSID}: ")  # the last space comes when the terminal no longer echoes
        screen.type(PASSWORD + "\r")
        screen.wait_for("is provisioned")
        assert screen.exit_code() == 0
        assert PASSWORD not in screen.screen
    assert firmware.password == PASSWORD


def test_an_open_network_asks_for_no_password(
    operator: Shell, firmware: FakeFirmware, tmp_path: Path
) -> None:
    surroundings = {"DISPCTL_STATE_DIR": str(tmp_path / "state"), "DISPCTL_BACKEND": operator.backend}
    with terminal("provision", "-p", firmware.board.port, "--timeout", "3", **surroundings) as screen:
        screen.wait_for("Network (1-3")
        screen.type("Aberta\r")
        screen.wait_for("settings")
    assert firmware.password == ""


def test_a_claim_code_is_in_no_output(shell: Shell, firmware: FakeFirmware) -> None:
    firmware.claim_status = 400
    arguments = (
        "provision",
        "-p",
        firmware.board.port,
        "--ssid",
        SSID,
        "--password-stdin",
        "--claim-code",
        CODE,
        "-v",
    )
    assert CODE not in shell.refused(7, *arguments, stdin=PASSWORD)


def test_a_working_board_passes_its_test_and_nothing_is_changed(
    operator: Shell, firmware: FakeFirmware
) -> None:
    firmware.claimed = True
    firmware.settings["backend_url"] = operator.backend
    operator.done("logout")
    shown = operator.json("provision", "-p", firmware.board.port, "--test")
    assert (shown["joined"], shown["claimed"]) == (True, True)
    assert firmware.settings["ssid"] == "Antiga"


def test_a_board_that_belongs_to_nobody_fails_its_test(shell: Shell, firmware: FakeFirmware) -> None:
    told = shell.refused(4, "provision", "-p", firmware.board.port, "--test")
    assert "belongs to nobody" in told


def test_a_board_forgets_when_it_has_no_job_and_somebody_says_so(
    shell: Shell, firmware: FakeFirmware
) -> None:
    assert "Nobody is there to answer" in shell.refused(2, "provision", "-p", firmware.board.port, "--forget")
    firmware.job = 7
    assert "job 7" in shell.refused(4, "provision", "-p", firmware.board.port, "--forget", "--yes")
    firmware.job = None
    shell.done("provision", "-p", firmware.board.port, "--forget", "--yes")
    assert firmware.settings["ssid"] is None
    assert firmware.settings["password"] is None


def test_only_one_thing_at_a_time(shell: Shell, firmware: FakeFirmware) -> None:
    shell.refused(2, "provision", "-p", firmware.board.port, "--test", "--forget")
    shell.refused(2, "provision", "-p", firmware.board.port, "--improv", "--forget")


def test_a_port_without_an_improv_device_is_said(
    shell: Shell, firmware: FakeFirmware, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(improv.ImprovLine.current_state, "__defaults__", (0.2,))
    told = shell.refused(5, "provision", "-p", firmware.board.port, "--improv", "--show")
    assert "speaks Improv Serial" in told
