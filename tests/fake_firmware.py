"""The provisioning side of the firmware, played without one: settings in, a step at each status, its luck chosen by a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fake_board import FakeBoard

if TYPE_CHECKING:
    from collections.abc import Callable

UID = "esp-246f28d15c01"
URL = "http://backend.test:8000"
SSID = "Cozinha"
PASSWORD = "tempero-secreto"
CODE = "918273"


class FakeFirmware:
    """What the firmware does with new settings, a step at each `status`; `wifi_reason` and `claim_status` are its luck."""

    def __init__(
        self, *, wifi_reason: str | None = None, claim_status: int = 200, claim_words: str = ""
    ) -> None:
        self.wifi_reason = wifi_reason
        self.claim_status = claim_status
        self.claim_words = claim_words
        self.pouring_polls = 0
        self.job: int | None = None
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
        self.password: str | None = None
        self.asked_settings: list[dict[str, Any]] = []
        self.on_claim: Callable[[str], object] = str
        networks = [
            {"ssid": "Vizinho", "rssi": -81, "channel": 1, "secure": True},
            {"ssid": SSID, "rssi": -52, "channel": 6, "secure": True},
            {"ssid": "Aberta", "rssi": -66, "channel": 11, "secure": False},
        ]
        self.board = FakeBoard(
            status=self.status,
            get_settings=self.get_settings,
            set_settings=self.set_settings,
            scan=lambda _: {"networks": networks},
        )

    def status(self, _: dict[str, Any]) -> dict[str, Any]:
        if self.trying and self.pouring_polls == 0:
            self._join()
        elif self.settings["claim_code"] and self.joined == SSID:
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
        pour = {"pouring": self.pouring_polls > 0, "job": self.job, "item": 2, "total": 4}
        return {"uid": UID, "version": "0.1.0", "state": "online", "wifi": wifi, "backend": backend} | pour

    def get_settings(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"settings": {name: bool(value) for name, value in self.settings.items()}}

    def set_settings(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked_settings.append(request)
        changes = dict(request["settings"])
        if changes.get("ssid") is not None:
            self.trying = changes.pop("ssid")
            self.password = changes.pop("password")
        authority = changes.get("ca_pem")
        if isinstance(authority, dict):
            changes["ca_pem"] = self.settings["ca_pem"] + authority["append"]
        restart_needed = "actuator" in changes and "actuator" in self.settings
        self.settings |= changes
        return self.get_settings(request) | {"restart_needed": restart_needed}

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
            self.on_claim(self.settings["claim_code"])
            self.claimed = True
            self.settings["claim_code"] = None
            self.board.print("[CLAIM] ✓ Registrado")
        else:
            self.board.print(f"[CLAIM] ✗ Registro falhou: HTTP {self.claim_status}")
