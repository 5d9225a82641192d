"""``dispctl provision``: Wi-Fi, backend, CA and claim over the cable, without stopping a pour."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dispctl.cli.console import Console
from dispctl.cli.options import DEFAULT_BACKEND, Backend, Baud, Json, Port, Quiet, Verbose
from dispctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dispctl.adapters.backend_client import BackendClient
    from dispctl.adapters.control import ControlLine
    from dispctl.operations.provision import BackendAccess, WifiCredentials
    from dispctl.operations.provision_events import ProvisionEvent

WIFI = "Wi-Fi"
BACKEND = "Backend"


def provision(
    *,
    port: Port = "auto",
    baud: Baud = 115200,
    ssid: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The network; without it you choose.", rich_help_panel=WIFI),
    ] = None,
    password_stdin: Annotated[
        bool,
        typer.Option(
            "--password-stdin",
            help="Read the password from standard input; empty for an open network.",
            rich_help_panel=WIFI,
        ),
    ] = False,
    password_env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Take the password from this variable.", rich_help_panel=WIFI),
    ] = None,
    credentials: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="TOML or JSON file with ssid and password.",
            rich_help_panel=WIFI,
        ),
    ] = None,
    backend: Backend = DEFAULT_BACKEND,
    board_backend: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="The backend's address as the board reaches it.", rich_help_panel=BACKEND
        ),
    ] = None,
    claim_code: Annotated[
        str | None,
        typer.Option(
            metavar="CODE", help="A claim code; without it one is fetched as you.", rich_help_panel=BACKEND
        ),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Authority that signed the backend's certificate.",
            rich_help_panel=BACKEND,
        ),
    ] = None,
    tls_insecure: Annotated[
        bool,
        typer.Option("--tls-insecure", help="Let the board check no certificate.", rich_help_panel=BACKEND),
    ] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=1, help="Give up after so long.")] = 90.0,
    show: Annotated[
        bool, typer.Option("--show", help="Show the board's settings and change nothing.")
    ] = False,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Put the board on a network and hand it to the backend, until it is seen online there.

    A pour goes on meanwhile. The password is asked for, or comes from one of the options below, never from the
    command line. The board keeps its old network until it has joined the new one.
    """
    from dispctl.adapters.control import open_control

    console = Console(json=json, quiet=quiet, verbose=verbose)
    with ExitStack() as stack:
        if show:
            control = stack.enter_context(open_control(port, baud=baud, on_line=console.detail))
            _show_settings(console, control)
            return
        access = _access(console, port, board_backend or backend, ca, tls_insecure=tls_insecure)
        owner = _Owner(stack, backend, claim_code)
        source = _WifiSource(ssid, credentials, stdin=password_stdin, variable=password_env)
        control = stack.enter_context(open_control(port, baud=baud, on_line=console.detail))
        wifi = source.credentials(console, control)
        _provision(console, control, wifi, access, owner, timeout_s=timeout)


def _provision(
    console: Console,
    control: "ControlLine",
    wifi: "WifiCredentials",
    access: "BackendAccess",
    owner: "_Owner",
    *,
    timeout_s: float,
) -> None:
    from dispctl.operations import provision as operation

    result: dict[str, Any] = {"ssid": wifi.ssid, "backend": access.url, "online": None}
    events = operation.provision(
        control, wifi, access, claim_code=owner.claim_code, is_online=owner.is_online, timeout_s=timeout_s
    )
    for event in events:
        result |= _learned(event)
        console.message(_words(event))
    if owner.is_online is None:
        console.message("You are not logged in: whether the backend sees it online was not looked at.")
    console.result(result, f"{result['uid']} is provisioned.")


class _WifiSource:
    """What the options say of the network; a question is asked only for what they leave open."""

    def __init__(self, ssid: str | None, file: Path | None, *, stdin: bool, variable: str | None) -> None:
        from dispctl.cli.wifi_questions import given_password, read_credentials

        if file is not None and (stdin or variable):
            raise UsageError("The password can come from one place only.")
        self._ssid, self._password = ssid, given_password(stdin=stdin, variable=variable)
        if file is not None:
            file_ssid, self._password = read_credentials(file)
            self._ssid = ssid or file_ssid

    def credentials(self, console: Console, control: "ControlLine") -> "WifiCredentials":
        from dispctl.cli.wifi_questions import PASSWORD_HINT, ask_network
        from dispctl.operations.provision import WifiCredentials

        ssid, password = self._ssid, self._password
        if ssid is None:
            network = ask_network(console, control)
            ssid = network.ssid
            password = "" if network.is_open else password
        if password is None:
            password = console.ask_secret(f"Password of {ssid}", hint=PASSWORD_HINT)
        return WifiCredentials(ssid, password)


class _Owner:
    """The logged-in operator, if any: where a claim code comes from and who looks whether the board is online."""

    def __init__(self, stack: ExitStack, backend: str, claim_code: str | None) -> None:
        from dispctl.adapters.backend_client import BackendClient
        from dispctl.adapters.session_file import load_session

        session = load_session(backend)
        self._given = claim_code
        self._client = stack.enter_context(BackendClient(backend, cookie=session.cookie if session else None))
        self.is_online: Callable[[str], bool] | None = None
        if session is not None or claim_code is None:
            self._client.me()  # says now, before anything is asked or changed, that nobody is logged in
            self.is_online = _seen_since_now(self._client)

    def claim_code(self) -> str:
        return self._given if self._given is not None else self._client.new_claim_code().code


def _seen_since_now(client: "BackendClient") -> "Callable[[str], bool]":
    """Whether a board was heard from after this moment: one that was online a minute ago still counts as online."""
    before = {device.uid: device.last_seen for device in client.devices()}

    def is_online(uid: str) -> bool:
        return any(
            device.online and device.last_seen != before.get(uid)
            for device in client.devices()
            if device.uid == uid
        )

    return is_online


def _access(console: Console, port: str, url: str, ca: Path | None, *, tls_insecure: bool) -> "BackendAccess":
    from dispctl.adapters.backend_address import is_loopback, normalized
    from dispctl.operations.provision import BackendAccess, certificates_in

    url = normalized(url)
    if is_loopback(url) and not port.startswith(("sim:", "rfc2217://", "socket://", "auto")):
        console.warning(
            f"{url} is this machine; a real board reaches it under another address: --board-backend URL."
        )
    if ca is None:
        return BackendAccess(url, None, tls_insecure)
    try:
        return BackendAccess(url, certificates_in(ca.read_bytes()), tls_insecure)
    except OSError as error:
        raise UsageError(f"{ca} cannot be read: {error.strerror}.") from error


def _show_settings(console: Console, control: "ControlLine") -> None:
    from rich.table import Table

    from dispctl.operations.provision import read_settings

    settings = read_settings(control)
    table = Table("setting", "value", box=None)
    for name in sorted(settings):
        table.add_row(name, _shown(settings[name]))
    console.result(settings, table)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(each)}" for name, each in value.items())
    return "-" if value is None else str(value)


def _words(event: "ProvisionEvent") -> str:
    from dispctl.operations import provision_events as told

    match event:
        case told.BoardFound(uid, version, state):
            words = f"✓ {uid} answers (firmware {version}, {state})"
        case told.SettingsSaved():
            words = "✓ it has the settings and tries them"
        case told.PourAwaited(job_id, item, total):
            words = f"… it pours item {item} of {total} of job {job_id} first"
        case told.NetworkJoined(ssid, rssi_dbm):
            words = f"✓ joined {ssid}" + ("" if rssi_dbm is None else f" ({rssi_dbm} dBm)")
        case told.BackendReached(url):
            words = f"✓ reached {url}"
        case told.BoardClaimed():
            words = "✓ claimed"
        case told.SeenOnline():
            words = "✓ seen online by the backend"
    return words


def _learned(event: "ProvisionEvent") -> dict[str, Any]:
    """What an event adds to the ``--json`` object."""
    from dispctl.operations import provision_events as told

    if isinstance(event, told.BoardFound):
        return {"uid": event.uid, "version": event.version}
    if isinstance(event, told.NetworkJoined):
        return {"joined": True, "rssi_dbm": event.rssi_dbm}
    if isinstance(event, told.BoardClaimed):
        return {"claimed": True}
    return {"online": True} if isinstance(event, told.SeenOnline) else {}
