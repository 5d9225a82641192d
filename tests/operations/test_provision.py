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
from dispctl.operations.provision import (
    BackendAccess,
    Network,
    WifiCredentials,
    certificates_in,
    provision,
    read_settings,
    scan_networks,
)
from dispctl.operations.provision_events import (
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

if TYPE_CHECKING:
    from collections.abc import Iterator

UID = "esp-246f28d15c01"
URL = "http://backend.test:8000"
PASSWORD = "tempero-secreto"
CODE = "918273"
WIFI = WifiCredentials("Cozinha", PASSWORD)


class Firmware:
    """What the firmware does with new settings, a step at each `status`; `wifi_reason` and `claim_status` are its luck."""

    def __init__(
        self, *, wifi_reason: str | None = None, claim_status: int = 200, claim_words: str = ""
    ) -> None:
        self.wifi_reason = wifi_reason
        self.claim_status = claim_status
        self.claim_words = claim_words
        self.pouring_polls = 0
        self.settings: dict[str, Any] = {
            "ssid": "Antiga",
            "password": "old-password",
            "ca_pem": None,
            "claim_code": None,
        }
        self.joined = "Antiga"
        self.failed_ssid: str | None = None
        self.trying: str | None = None
        self.claimed = False
        self.silent_about_wifi = False
        self.board = FakeBoard(
            status=self.status, get_settings=self.get_settings, set_settings=self.set_settings
        )

    def status(self, _: dict[str, Any]) -> dict[str, Any]:
        if self.trying and self.pouring_polls == 0:
            self._join()
        elif self.settings["claim_code"] and self.joined == WIFI.ssid:
            self._claim()
        self.pouring_polls = max(0, self.pouring_polls - 1)
        return self.described()

    def described(self) -> dict[str, Any]:
        trying = self.trying is not None
        wifi = {
            "ssid": self.trying or self.joined,
            "joined": not trying,
            "rssi": -50,
            "reason": None,
            "trying_new": trying,
            "failed_ssid": self.failed_ssid,
        }
        backend = {
            "url": URL,
            "reached": self.claimed,
            "claimed": self.claimed,
            "error": self.claim_words or None,
        }
        pour = {"pouring": self.pouring_polls > 0, "job": 7, "item": 2, "total": 4}
        return {"uid": UID, "version": "0.1.0", "state": "online", "wifi": wifi, "backend": backend} | pour

    def get_settings(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"settings": {name: bool(value) for name, value in self.settings.items()}}

    def set_settings(self, request: dict[str, Any]) -> dict[str, Any]:
        changes = dict(request["settings"])
        if "ssid" in changes:
            self.trying = changes.pop("ssid")
            changes.pop("password")
        authority = changes.get("ca_pem")
        if isinstance(authority, dict):
            changes["ca_pem"] = self.settings["ca_pem"] + authority["append"]
        self.settings |= changes
        return self.get_settings(request)

    def _join(self) -> None:
        trying, self.trying = self.trying, None
        if self.wifi_reason is None and trying:
            self.joined = trying
            self.board.print(f"[WIFI] ✓ Conectado a {trying}: 192.168.4.2")
        else:
            self.failed_ssid = trying
            self.board.print(f"[WIFI] ✗ Sem conexão com {trying}: {self.wifi_reason}")

    def _claim(self) -> None:
        self.board.print("[CLAIM] Registrando no backend...")
        if self.claim_status == 200:
            self.claimed = True
            self.settings["claim_code"] = None
            self.board.print("[CLAIM] ✓ Registrado")
        else:
            self.board.print(f"[CLAIM] ✗ Registro falhou: HTTP {self.claim_status}")


def provisioned(
    firmware: Firmware, access: BackendAccess | None = None, *, online: bool = True, timeout_s: float = 20
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
                timeout_s=timeout_s,
            )
        )


def test_it_ends_when_the_backend_sees_the_board_online() -> None:
    assert provisioned(Firmware()) == [
        BoardFound(UID, "0.1.0", "online"),
        SettingsSaved(("ssid", "password", "backend_url", "tls_insecure", "claim_code")),
        NetworkJoined("Cozinha", -50),
        BackendReached(URL),
        BoardClaimed(UID),
        SeenOnline(UID),
    ]


def test_a_claim_of_before_does_not_count() -> None:
    firmware = Firmware(claim_status=400)
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
        provisioned(Firmware(wifi_reason=reason))
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
        provisioned(Firmware(claim_status=status, claim_words=words))


def test_a_first_call_that_fails_is_not_the_end() -> None:
    firmware = Firmware(claim_status=0, claim_words="[Errno 113] EHOSTUNREACH")

    def status(request: dict[str, Any]) -> dict[str, Any]:
        answer = firmware.status(request)
        if firmware.settings["claim_code"] and firmware.joined == WIFI.ssid:
            firmware.claim_status = 200
        return answer

    firmware.board.handlers["status"] = status
    assert SeenOnline(UID) in provisioned(firmware)


def test_a_pour_is_waited_for_and_costs_no_time() -> None:
    firmware = Firmware()
    firmware.pouring_polls = 8
    events = provisioned(firmware, timeout_s=1.5)
    assert events[2:4] == [PourAwaited(7, 2, 4), NetworkJoined("Cozinha", -50)]


def test_a_board_that_is_never_seen_is_a_deadline() -> None:
    with pytest.raises(DeadlineError, match="does not list it as online"):
        provisioned(Firmware(), online=False, timeout_s=1.5)


def test_a_board_that_never_joins_is_a_deadline() -> None:
    firmware = Firmware()
    firmware.board.handlers["status"] = lambda _: firmware.described()
    with pytest.raises(DeadlineError, match="has not joined the network 'Cozinha'"):
        provisioned(firmware, timeout_s=1)


def test_https_without_an_authority_changes_nothing() -> None:
    firmware = Firmware()
    with pytest.raises(UsageError, match="no authority"):
        provisioned(firmware, BackendAccess("https://backend.test"))
    assert "set_settings" not in firmware.board.ops


def test_an_authority_of_any_length_arrives_whole() -> None:
    firmware = Firmware()
    authority = "-----BEGIN CERTIFICATE-----\n" + "QUJDREVGR0g=\n" * 500
    provisioned(firmware, BackendAccess("https://backend.test", authority))
    assert firmware.settings["ca_pem"] == authority
    assert max(map(len, firmware.board.requests)) < 6144


@pytest.mark.parametrize("firmware", [Firmware(wifi_reason="wrong_password"), Firmware(claim_status=400)])
def test_no_secret_is_in_an_event_or_an_exception(firmware: Firmware) -> None:
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
    firmware = Firmware()
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
