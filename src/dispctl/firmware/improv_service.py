"""Answers Improv Serial clients: a browser, say, that joins the board to a Wi-Fi. Knows the commands, not the bytes.

Nothing slow is done while a jar is open, and the old credentials stay until the new ones have joined.
"""

from . import improv
from .timer import Timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parts import Parts

FIRMWARE_NAME = "dispctl"
CHIP = "ESP32"
JOIN_TIMEOUT_MS = 25_000
"""Clients give up after 30 s; a failure told later would be taken for that of their next command."""

_ONLINE, _HAS_WIFI = 1, 2
_MAX_SSID_BYTES = 32
_MAX_PASSWORD_BYTES = 64


class ImprovService:
    """`listen` begins; frames come from the console, and `follow` watches a join a few times a second."""

    def __init__(self, parts: "Parts", version: str) -> None:
        self._parts = parts
        self._version = version
        self._joining: str | None = None
        self._limit = Timer(parts.clock)
        self._frame_bytes = 0
        self._commands = {
            improv.SEND_WIFI: self._send_wifi,
            improv.GET_STATE: self._get_state,
            improv.GET_INFO: self._get_info,
            improv.SCAN: self._scan,
            improv.GET_NETWORK_STATE: self._get_network_state,
        }

    def listen(self) -> None:
        """Take the console's frames from now on."""
        self._parts.console.on_frame = self.handle
        self._parts.idle.tasks.append(self.follow)

    def handle(self, frame: "tuple[int, bytes] | None") -> None:
        """Answer a frame (type, data), or None for one that arrived damaged; other types than commands are ignored."""
        if frame is None:
            self._error(improv.INVALID_RPC)
        elif frame[0] == improv.RPC:
            self._error(improv.NO_ERROR)
            try:
                command, data = improv.parse_command(frame[1])
                self._commands.get(command, self._unknown)(data)
            except improv.FrameError:
                self._error(improv.INVALID_RPC)

    def follow(self) -> None:
        """Tell the client how its join ended; drop a frame whose rest does not come."""
        self._frame_bytes = self._parts.console.drop_stalled_frame(self._frame_bytes)
        ssid, wifi = self._joining, self._parts.wifi
        if ssid is None:
            return
        if wifi.joined and wifi.ssid == ssid and not wifi.trying_new:
            self._joining = None
            self._state()
            self._result(improv.SEND_WIFI, self._urls())
        elif wifi.failed_ssid == ssid or self._limit.due:
            self._joining = None
            self._error(improv.UNABLE_TO_CONNECT)
            self._send(improv.CURRENT_STATE, improv.READY)

    def _send_wifi(self, data: bytes) -> None:
        try:
            ssid, password = improv.parse_texts(data)
        except ValueError:
            raise improv.FrameError("not a name and a password")
        if not 1 <= len(ssid.encode()) <= _MAX_SSID_BYTES or len(password.encode()) > _MAX_PASSWORD_BYTES:
            raise improv.FrameError("a name or a password that cannot be")
        self._joining = ssid
        self._limit.start(JOIN_TIMEOUT_MS)
        self._parts.wifi.try_credentials(ssid, password)
        self._state()

    def _get_state(self, _data: bytes) -> None:
        self._state()
        if self._is_provisioned():
            self._result(improv.GET_STATE, self._urls())

    def _get_info(self, _data: bytes) -> None:
        self._result(improv.GET_INFO, [FIRMWARE_NAME, self._version, CHIP, self._parts.system.uid])

    def _scan(self, _data: bytes) -> None:
        if self._parts.pouring:
            self._error(improv.UNKNOWN_ERROR)
            return
        try:
            networks = self._parts.wifi.scan()
        except OSError:
            self._error(improv.UNKNOWN_ERROR)
            return
        told = [""]  # hidden networks have no name
        for network in networks:
            if network["ssid"] not in told:
                told.append(network["ssid"])
                secured = "YES" if network["secure"] else "NO"
                self._result(improv.SCAN, [network["ssid"], str(network["rssi"]), secured])
        self._result(improv.SCAN, [])

    def _get_network_state(self, _data: bytes) -> None:
        joined = self._parts.wifi.joined
        flags = _HAS_WIFI | (_ONLINE if joined else 0)
        self._result(improv.GET_NETWORK_STATE, [str(flags)] + (self._urls() if joined else []))

    def _unknown(self, _data: bytes) -> None:
        self._error(improv.UNKNOWN_RPC)

    def _is_provisioned(self) -> bool:
        return self._joining is None and self._parts.wifi.joined

    def _urls(self) -> "list[str]":
        """Where to go next: the backend, if the board has one."""
        url = self._parts.settings["backend_url"]
        return [url] if url else []

    def _state(self) -> None:
        state = improv.PROVISIONING if self._joining else improv.READY
        self._send(improv.CURRENT_STATE, improv.PROVISIONED if self._is_provisioned() else state)

    def _error(self, code: int) -> None:
        self._send(improv.ERROR_STATE, code)

    def _send(self, kind: int, value: int) -> None:
        self._parts.console.write_raw(improv.format_frame(kind, bytes((value,))))

    def _result(self, command: int, texts: "list[str]") -> None:
        self._parts.console.write_raw(improv.format_result(command, texts))
