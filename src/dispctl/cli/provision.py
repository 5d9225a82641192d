"""``dispctl provision``: Wi-Fi, backend, CA and claim over the cable, without stopping a pour."""

from contextlib import ExitStack
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dispctl.cli.console import Console
from dispctl.cli.options import DEFAULT_BACKEND, Backend, Baud, Json, Port, Quiet, Verbose, Yes
from dispctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dispctl.adapters.backend_client import BackendClient
    from dispctl.adapters.control import ControlLine
    from dispctl.operations.provision import BackendAccess, WifiCredentials

WIFI = "Wi-Fi"
BACKEND = "Backend"
LARGEST_CA_FILE = 1 << 20
INSTEAD = "Instead"


class Actuator(str, Enum):
    """What moves the jars."""

    relay = "relay"
    relay_active_low = "relay-active-low"
    servo = "servo"


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
    actuator: Annotated[
        Actuator | None,
        typer.Option(help="What moves the jars; a new board takes relays, active high."),
    ] = None,
    backend: Backend = DEFAULT_BACKEND,
    board_backend: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="The backend's address as the board reaches it.", rich_help_panel=BACKEND
        ),
    ] = None,
    same_backend: Annotated[
        bool,
        typer.Option(
            "--same-backend",
            help="It is the board's backend of before at a new address: a job is reported there.",
            rich_help_panel=BACKEND,
        ),
    ] = False,
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
        bool,
        typer.Option("--show", help="Show the board's settings and change nothing.", rich_help_panel=INSTEAD),
    ] = False,
    test: Annotated[
        bool,
        typer.Option(
            "--test",
            help="Look whether network, backend and claim work as they are.",
            rich_help_panel=INSTEAD,
        ),
    ] = False,
    forget: Annotated[
        bool,
        typer.Option(
            "--forget", help="Let the board forget network, backend and owner.", rich_help_panel=INSTEAD
        ),
    ] = False,
    improv: Annotated[
        bool,
        typer.Option(
            "--improv",
            help="Join any device that speaks Improv Serial; no backend, no claim.",
            rich_help_panel=INSTEAD,
        ),
    ] = False,
    yes: Yes = False,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Put the board on a network and hand it to the backend, until it is seen online there.

    A pour goes on meanwhile. The password is asked for, or comes from one of the options below, never from the
    command line. The board keeps its old network until it has joined the new one.
    """
    from dispctl.adapters.control import open_control
    from dispctl.adapters.improv import open_improv
    from dispctl.cli import provision_improv
    from dispctl.cli.wifi_questions import WifiSource
    from dispctl.operations.provision import scan_networks

    console = Console(json=json, yes=yes, quiet=quiet, verbose=verbose)
    if sum((show and not improv, test, forget, improv)) > 1:
        raise UsageError(
            "--show, --test, --forget and --improv are different things.", hint="Give one of them."
        )
    source = WifiSource(ssid, credentials, stdin=password_stdin, variable=password_env)
    with ExitStack() as stack:
        if improv:
            line = stack.enter_context(open_improv(port, baud=baud, on_line=console.detail))
            if show:
                provision_improv.show_device(console, line)
            else:
                provision_improv.join_device(console, line, source, timeout_s=timeout)
        elif show or test or forget:
            owner = _Owner(stack, backend, claim_code) if test else None
            control = stack.enter_context(open_control(port, baud=baud, on_line=console.detail))
            _look_or_forget(console, control, owner, forget=forget, timeout_s=timeout)
        else:
            access = _access(console, port, board_backend or backend, ca, tls_insecure=tls_insecure)
            access = replace(access, is_same=same_backend)
            owner = _Owner(stack, backend, claim_code)
            owner.require_login()
            control = stack.enter_context(open_control(port, baud=baud, on_line=console.detail))
            wifi = source.credentials(console, lambda: scan_networks(control))
            _provision(console, control, wifi, access, owner, actuator=actuator, timeout_s=timeout)


def _look_or_forget(
    console: Console, control: "ControlLine", owner: "_Owner | None", *, forget: bool, timeout_s: float
) -> None:
    from dispctl.cli.provision_view import show_settings, tell_steps
    from dispctl.operations.check_connection import check_connection
    from dispctl.operations.provision import forget as forget_everything
    from dispctl.operations.provision import read_settings

    if owner is not None:
        checks = check_connection(control, is_online=owner.is_online, timeout_s=timeout_s)
        tell_steps(console, checks, {}, "works")
    elif forget:
        console.confirm("The board will forget its network, its backend and its owner. Go on?")
        uid = forget_everything(control)
        console.result(
            {"uid": uid, "forgotten": True}, f"{uid} has forgotten its network, backend and owner."
        )
    else:
        show_settings(console, read_settings(control))


def _provision(
    console: Console,
    control: "ControlLine",
    wifi: "WifiCredentials",
    access: "BackendAccess",
    owner: "_Owner",
    *,
    actuator: Actuator | None,
    timeout_s: float,
) -> None:
    from dispctl.cli.provision_view import tell_steps
    from dispctl.operations import provision as operation

    result: dict[str, Any] = {"ssid": wifi.ssid, "backend": access.url, "online": None}
    events = operation.provision(
        control,
        wifi,
        access,
        claim_code=owner.claim_code,
        is_online=owner.is_online,
        actuator=operation.ACTUATORS[actuator.value] if actuator else None,
        timeout_s=timeout_s,
    )
    tell_steps(console, events, result, "is provisioned")
    if owner.is_online is None:
        console.message("You are not logged in: whether the backend sees it online was not looked at.")


class _Owner:
    """The logged-in operator, if any: where a claim code comes from and who looks whether the board is online."""

    def __init__(self, stack: ExitStack, backend: str, claim_code: str | None) -> None:
        from dispctl.adapters.backend_client import BackendClient
        from dispctl.adapters.session_file import load_session

        session = load_session(backend)
        self._given = claim_code
        self._client = stack.enter_context(BackendClient(backend, cookie=session.cookie if session else None))
        self.is_online: Callable[[str], bool] | None = None
        if session is not None:
            self._client.me()  # says now, before anything is asked or changed, that the session is over
            self.is_online = _seen_since_now(self._client)

    def require_login(self) -> None:
        """Raise BackendRefusedError where a claim code would have to be fetched and nobody is logged in."""
        if self._given is None and self.is_online is None:
            self._client.me()

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
    from dispctl.adapters.given_file import read_given
    from dispctl.operations.provision import BackendAccess, certificates_in

    url = normalized(url)
    if is_loopback(url) and not port.startswith(("sim:", "rfc2217://", "socket://", "auto")):
        console.warning(
            f"{url} is this machine; a real board reaches it under another address: --board-backend URL."
        )
    if ca is not None:
        authorities = read_given(ca, what="a file of certificates", most=LARGEST_CA_FILE)
        pem: str | None = certificates_in(authorities)
    else:
        pem = None
    if url.startswith("https://") and not tls_insecure:
        pem = _checked_authority(console, url, pem)
    return BackendAccess(url, pem, tls_insecure)


def _checked_authority(console: Console, url: str, pem: str | None) -> str | None:
    """The authority for the board: `pem`, tried here first, else the root among this system's that the backend needs.

    None where that cannot be told from here; the board may have one from before. Raises NotTrustedError when `pem` does
    not vouch for the backend: so the board's settings stay as they are.
    """
    from dispctl.adapters.tls_chain import NotTrustedError, require_signed_by, root_of
    from dispctl.errors import BackendUnreachableError

    try:
        if pem is None:
            return root_of(url)
        require_signed_by(url, pem)
    except NotTrustedError as error:
        if pem is not None:
            raise
        console.detail(error.message)
    except BackendUnreachableError as error:  # from here; the board's network may be another
        console.warning(f"Its certificate was not tried: {error.message}")
    return pem
