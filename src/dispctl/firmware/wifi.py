"""Joining the Wi-Fi, step by step without ever waiting. Knows the credentials, not the radio's driver.

New credentials are tried beside the old ones: they replace them when they have joined, and never before. The radio tries
once when it is told to and then says why not; whether to try again is decided here.
"""

from .timer import Timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .console import Console
    from .parts import Clock, Radio
    from .settings import Settings

ATTEMPT_MS = 15_000
PAUSE_MS = 3_000
LEAVE_MS = 300
TRIES_OF_NEW = 2  # one search may miss a network, and a busy access point turns a right password down
_NO_DHCP = "no_dhcp"  # the one reason that is not the end of a try
_SETTLE_MS = 5_000  # until a try has ended, in 2 to 5 s, MicroPython shows the reason of the one before


class WifiLink:
    """`drive` keeps the board joined. `joined`, `ssid` and `reason` say how it stands.

    When new credentials have failed, `failed_ssid` and `reason` keep saying so, also while the old network is joined.
    """

    def __init__(self, radio: "Radio", clock: "Clock", console: "Console", settings: "Settings") -> None:
        self._radio = radio
        self._console = console
        self._settings = settings
        self._attempt = Timer(clock)
        self._settle = Timer(clock)
        self._trying = False
        self._tries_left = 0
        self._last_reason: str | None = None
        self._candidate: tuple[str, str] | None = None
        self.joined = False
        self.reason: str | None = None
        self.failed_ssid: str | None = None
        self.busy = False  # set while a jar is open: nothing slow is begun

    @property
    def ssid(self) -> "str | None":
        """The network that is joined or being tried."""
        return self._candidate[0] if self._candidate else self._settings["ssid"]

    @property
    def trying_new(self) -> bool:
        """Whether credentials are being tried that are not saved yet."""
        return self._candidate is not None

    def try_credentials(self, ssid: str, password: str) -> None:
        """Leave the present network and try this one, at the next `drive` while no jar is open."""
        self._candidate = (ssid, password)
        self._trying = False
        self.joined = False
        self.reason = None
        self.failed_ssid = None
        self._attempt.start(0)

    def drive(self) -> None:
        """One step; a few times a second."""
        if self.ssid is None:
            self._leave_forgotten()
            return
        if self.busy and self._candidate:
            return
        if self._trying and self._radio.joined():
            self._has_joined()
        elif self.joined:
            self._has_lost()
        elif self._trying:
            self._watch_attempt()
        elif self._attempt.due:
            self._begin()

    def scan(self) -> "list[dict[str, Any]]":
        """The networks in reach; takes seconds. Raises OSError.

        While it tries to join the radio hears nothing: that is broken off, and begun again after.
        """
        if self._trying and not self.joined:
            self._leave()
            self._trying = False
            self._attempt.start(LEAVE_MS)
        try:
            return self._radio.scan()
        except RuntimeError as error:
            raise OSError(str(error))

    def describe(self) -> "dict[str, Any]":
        """For `status`."""
        return {
            "ssid": self.ssid,
            "joined": self.joined,
            "rssi": self._radio.rssi() if self.joined else None,
            "reason": self.reason,
            "trying_new": self.trying_new,
            "failed_ssid": self.failed_ssid,
        }

    def _begin(self) -> None:
        if self._radio.joined():  # still to the network before: its address must not pass for the new one's
            self._leave()
            self._attempt.start(LEAVE_MS)
            return
        self._console.log("WIFI", f"Conectando a {self.ssid}...")
        self._trying = True
        self._tries_left = TRIES_OF_NEW if self._candidate else 1
        self._last_reason = None
        self._attempt.start(ATTEMPT_MS)
        self._try_once()

    def _try_once(self) -> None:
        ssid, password = self._candidate or (self._settings["ssid"], self._settings["password"])
        self._tries_left -= 1
        self._settle.start(_SETTLE_MS)
        try:
            self._radio.connect(ssid, password or "")
        except (OSError, RuntimeError) as error:
            self._has_failed("failed", str(error))

    def _leave(self) -> None:
        try:
            self._radio.disconnect()
        except (OSError, RuntimeError):
            pass  # there was nothing to leave

    def _leave_forgotten(self) -> None:
        """The network was taken out of the settings: it is not used any longer."""
        if self._radio.joined():
            self._leave()
        self.joined = False
        self._trying = False

    def _watch_attempt(self) -> None:
        reason = self._radio.reason() if self._settle.due else None
        has_ended = reason not in (None, _NO_DHCP)
        self._last_reason = reason or self._last_reason
        if self._attempt.due or (has_ended and self._tries_left == 0):
            self._has_failed(self._last_reason or "timeout", self._last_reason or "sem resposta")
        elif has_ended:
            self._try_once()

    def _has_failed(self, reason: str, words: str) -> None:
        self._console.log("WIFI", f"✗ Sem conexão com {self.ssid}: {words}")
        self._trying = False
        self.reason = reason
        self._attempt.start(PAUSE_MS)
        if self._candidate:
            self.failed_ssid = self._candidate[0]
            self._candidate = None
            self._attempt.start(LEAVE_MS)

    def _has_lost(self) -> None:
        self._console.log("WIFI", "✗ Conexão perdida")
        self.joined = False
        self._trying = False
        self.reason = "lost"
        self._attempt.start(LEAVE_MS)

    def _has_joined(self) -> None:
        if self.joined:
            return
        self.joined = True
        self.reason = self.reason if self.failed_ssid else None
        self._console.log("WIFI", f"✓ Conectado a {self.ssid}: {self._radio.address()}")
        if self._candidate:
            self._settings.merge({"ssid": self._candidate[0], "password": self._candidate[1]})
            self._candidate = None
