"""Provisioning over control lines: every way it can end, against a board whose firmware is played by the test."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.adapters.control import open_control
from dispctl.errors import (
    BackendRefusedError,
    BackendUnreachableError,
    BoardRefusedError,
    DeadlineError,
    DispctlError,
    UsageError,
)
from dispctl.firmware.job import FIRST_LOCAL_ID
from dispctl.firmware.settings import checked_actuator, default_actuator
from dispctl.operations.provision import (
    ACTUATORS,
    BackendAccess,
    Network,
    WifiCredentials,
    certificates_in,
    provision,
    read_settings,
    scan_networks,
)
from dispctl.operations.provision_events import (
    ActuatorSaved,
    BackendReached,
    BoardClaimed,
    BoardFound,
    NetworkJoined,
    PourAwaited,
    ProvisionEvent,
    SeenOnline,
    SettingsSaved,
)
from tests.fake_board import FakeBoard, running
from tests.fake_firmware import CODE, PASSWORD, SSID, UID, URL, FakeFirmware

if TYPE_CHECKING:
    from collections.abc import Iterator

WIFI = WifiCredentials(SSID, PASSWORD)


def provisioned(
    firmware: FakeFirmware,
    access: BackendAccess | None = None,
    *,
    online: bool = True,
    actuator: dict[str, Any] | None = None,
    timeout_s: float = 20,
) -> list[ProvisionEvent]:
    """The events of provisioning the board that runs `firmware`."""
    with running(firmware.board), open_control(firmware.board.port) as control:
        return list(
            provision(
                control,
                WIFI,
                access or BackendAccess(URL),
                claim_code=lambda: CODE,
                is_online=lambda uid: online and uid == UID,
                actuator=actuator,
                timeout_s=timeout_s,
            )
        )


@pytest.mark.parametrize("name", ACTUATORS)
@pytest.mark.parametrize("has_one", [False, True])
def test_the_actuator_is_known_before_other_settings_drive_it(name: str, has_one: bool) -> None:
    firmware = FakeFirmware()
    if has_one:
        firmware.settings["actuator"] = default_actuator()
    wanted = ACTUATORS[name]
    assert checked_actuator(wanted, default_actuator()) == {**default_actuator(), **wanted}
    told = provisioned(firmware, BackendAccess(URL, "-----BEGIN"), actuator=wanted)
    assert firmware.asked_settings[0]["settings"] == {"actuator": wanted}
    assert told[1] == ActuatorSaved(restart_needed=has_one)


def test_it_ends_when_the_backend_sees_the_board_online() -> None:
    assert provisioned(FakeFirmware()) == [
        BoardFound(UID, "0.1.0", "online"),
        SettingsSaved(("ssid", "password", "backend_url", "tls_insecure", "claim_code")),
        NetworkJoined("Cozinha", -50),
        BackendReached(URL),
        BoardClaimed(UID),
        SeenOnline(UID),
    ]


def test_a_board_with_a_job_keeps_its_backend() -> None:
    firmware = FakeFirmware()
    firmware.job = 7
    with pytest.raises(BoardRefusedError, match=f"has job 7, which it has to report to {URL}") as failure:
        provisioned(firmware, BackendAccess("http://other.test"))
    assert "--same-backend" in str(failure.value.hint)
    assert firmware.asked_settings == [], "nothing was changed"


@pytest.mark.parametrize("job", [None, FIRST_LOCAL_ID])
def test_a_board_without_a_backends_job_may_go_to_another(job: int | None) -> None:
    firmware = FakeFirmware()
    firmware.job = job
    provisioned(firmware, BackendAccess("http://other.test"))
    assert firmware.asked_settings[-1]["settings"]["backend_url"] == "http://other.test"
    assert firmware.asked_settings[-1]["same_backend"] is False


def test_the_same_backend_may_move() -> None:
    firmware = FakeFirmware()
    firmware.job = 7
    provisioned(firmware, BackendAccess("http://other.test", is_same=True))
    assert firmware.asked_settings[-1]["same_backend"] is True


def test_a_claim_of_before_does_not_count() -> None:
    firmware = FakeFirmware(claim_status=400)
    firmware.claimed = True
    with pytest.raises(BackendRefusedError):
        provisioned(firmware)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("wrong_password", "does not accept this password"),
        ("no_such_network", "sees no network 'Cozinha'"),
        ("no_dhcp", "gave the board no address"),
        ("timeout", "could not join the network 'Cozinha': timeout"),
    ],
)
def test_why_the_network_was_not_joined(reason: str, words: str) -> None:
    with pytest.raises(BoardRefusedError, match=words) as failure:
        provisioned(FakeFirmware(wifi_reason=reason))
    assert "goes back to 'Antiga'" in str(failure.value.hint)


@pytest.mark.parametrize(
    ("status", "words", "error", "sentence"),
    [
        (400, "", BackendRefusedError, "refused the claim"),
        (500, "", BackendRefusedError, "failed over the claim"),
        (0, "-202", BackendUnreachableError, "does not resolve"),
        (0, "-2", BackendUnreachableError, "does not resolve"),
        (0, "(-9984, 'MBEDTLS_ERR_X509_CERT_VERIFY_FAILED')", BackendUnreachableError, "does not trust"),
        (0, "conexão recusada", BackendUnreachableError, "no answer .* conexão recusada"),
    ],
)
def test_why_the_board_was_not_claimed(
    status: int, words: str, error: type[DispctlError], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        provisioned(FakeFirmware(claim_status=status, claim_words=words))


def test_a_first_call_that_fails_is_not_the_end() -> None:
    firmware = FakeFirmware(claim_status=0, claim_words="[Errno 113] EHOSTUNREACH")

    def status(request: dict[str, Any]) -> dict[str, Any]:
        answer = firmware.status(request)
        if firmware.settings["claim_code"] and firmware.joined == WIFI.ssid:
            firmware.claim_status = 200
        return answer

    firmware.board.handlers["status"] = status
    assert SeenOnline(UID) in provisioned(firmware)


def test_a_pour_is_waited_for_and_costs_no_time() -> None:
    firmware = FakeFirmware()
    firmware.job, firmware.pouring_polls = 7, 8
    events = provisioned(firmware, timeout_s=1.5)
    assert events[2:4] == [PourAwaited(7, 2, 4), NetworkJoined("Cozinha", -50)]


def test_a_board_that_is_never_seen_is_a_deadline() -> None:
    with pytest.raises(DeadlineError, match="does not list it as online"):
        provisioned(FakeFirmware(), online=False, timeout_s=1.5)


def test_a_board_that_never_joins_is_a_deadline() -> None:
    firmware = FakeFirmware()
    firmware.board.handlers["status"] = lambda _: firmware.described()
    with pytest.raises(DeadlineError, match="has not joined the network 'Cozinha'"):
        provisioned(firmware, timeout_s=1)


def test_https_without_an_authority_changes_nothing() -> None:
    firmware = FakeFirmware()
    with pytest.raises(UsageError, match="no authority"):
        provisioned(firmware, BackendAccess("https://backend.test"))
    assert "set_settings" not in firmware.board.ops


def test_an_authority_of_any_length_arrives_whole() -> None:
    firmware = FakeFirmware()
    authority = "-----BEGIN CERTIFICATE-----\n" + "QUJDREVGR0g=\n" * 500
    provisioned(firmware, BackendAccess("https://backend.test", authority))
    assert firmware.settings["ca_pem"] == authority
    assert max(map(len, firmware.board.requests)) < 6144


@pytest.mark.parametrize(
    "firmware", [FakeFirmware(wifi_reason="wrong_password"), FakeFirmware(claim_status=400)]
)
def test_no_secret_is_in_an_event_or_an_exception(firmware: FakeFirmware) -> None:
    told: list[object] = []
    with running(firmware.board), open_control(firmware.board.port, on_line=told.append) as control:
        events: Iterator[ProvisionEvent] = provision(
            control, WIFI, BackendAccess(URL), claim_code=lambda: CODE
        )
        with contextlib.suppress(DispctlError):
            try:
                told.extend(events)
            except DispctlError as error:
                told += [error, error.hint, error.__cause__]
                raise
    assert PASSWORD not in repr(told) + repr(WIFI)
    assert CODE not in repr(told)


def test_networks_come_strongest_first_and_once() -> None:
    found = [
        {"ssid": "Fraca", "rssi": -80, "channel": 1, "secure": True},
        {"ssid": "Forte", "rssi": -70, "channel": 1, "secure": False},
        {"ssid": "", "rssi": -20, "channel": 1, "secure": True},
        {"ssid": "Forte", "rssi": -40, "channel": 6, "secure": False},
    ]
    board = FakeBoard(scan=lambda _: {"networks": found})
    with running(board), open_control(board.port) as control:
        assert scan_networks(control) == [
            Network("Forte", -40, is_open=True),
            Network("Fraca", -80, is_open=False),
        ]


def test_settings_are_shown_as_the_board_gives_them() -> None:
    firmware = FakeFirmware()
    with running(firmware.board), open_control(firmware.board.port) as control:
        assert read_settings(control)["password"] is True
    assert "old-password" not in json.dumps(firmware.board.requests, default=str)


@given(st.text(max_size=40), st.text(max_size=70))
def test_credentials_are_those_that_wifi_allows(ssid: str, password: str) -> None:
    fits = 1 <= len(ssid.encode()) <= 32 and (not password or 8 <= len(password.encode()) <= 63)
    with contextlib.nullcontext() if fits else pytest.raises(UsageError):
        WifiCredentials(ssid, password)


def test_credentials_that_are_no_text_are_refused() -> None:
    with pytest.raises(UsageError, match="not UTF-8"):
        WifiCredentials("Caf\udce9", PASSWORD)


@pytest.mark.parametrize(
    "pem", [b"", b"hello", b"-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"]
)
def test_a_file_without_certificates_is_a_usage_error(pem: bytes) -> None:
    with pytest.raises(UsageError):
        certificates_in(pem)
