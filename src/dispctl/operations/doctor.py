"""What is wrong with this machine's set-up, and what to do about it; changes nothing."""

from __future__ import annotations

import importlib.util
import json
import platform
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from dispctl.adapters import bytecode, config_files, serial_access, session_file
from dispctl.adapters.backend_address import normalized
from dispctl.adapters.backend_client import BackendClient
from dispctl.adapters.port import simulator_directory
from dispctl.errors import BackendRefusedError, BackendUnreachableError, DispctlError, ExitCode
from dispctl.operations.ports import list_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

GOOD, NOTE, BAD = "ok", "note", "bad"
LIBRARIES = ("esptool", "mpremote", "pyserial", "littlefs-python", "typer", "rich", "httpx", "websockets")
EXTRAS = {"sim": ("micropython_run",), "backend": ("fastapi", "uvicorn", "sqlalchemy", "argon2", "jwt")}
"""What tells that an extra is installed: these modules."""


@dataclass(frozen=True)
class Found:
    """One finding: `state` is ``ok``, ``note`` or ``bad``; `exit_code` is what a command would end with for it."""

    subject: str
    state: str
    finding: str
    advice: str = ""
    exit_code: ExitCode = ExitCode.DONE


def examine(backend: str) -> Iterator[Found]:
    """Everything that is looked at, one finding after the other."""
    yield _versions()
    yield _compiler()
    for extra, modules in EXTRAS.items():
        yield _extra(extra, modules)
    yield from _settings()
    yield from _ports()
    yield from _virtual_boards()
    yield _backend(backend)


def _versions() -> Found:
    found = {"Python": platform.python_version()}
    for name in ("dispctl", *LIBRARIES):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            return Found(
                "versions",
                BAD,
                f"{name} is not installed.",
                "Install again: pip install dispctl",
                ExitCode.USAGE,
            )
    return Found("versions", GOOD, ", ".join(f"{name} {version}" for name, version in found.items()))


def _compiler() -> Found:
    try:
        compiler = bytecode.installed()
    except DispctlError as error:
        words = f"{error.message} dispctl flash puts the firmware on boards as sources, which start slower."
        return Found("bytecode", NOTE, words, error.hint or "")
    return Found("bytecode", GOOD, f"{compiler}, version {compiler.bytecode_version}")


def _extra(extra: str, modules: tuple[str, ...]) -> Found:
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        words = f"not installed (no {', '.join(missing)})"
        return Found(f"extra {extra}", NOTE, words, f"Where you need it: pip install 'dispctl[{extra}]'")
    return Found(f"extra {extra}", GOOD, "installed")


def _settings() -> Iterator[Found]:
    try:
        files = config_files.config_files()
    except DispctlError as error:
        yield Found("settings", BAD, error.message, error.hint or "", error.exit_code)
    else:
        words = ", ".join(str(file.path) for file in files) or "no file; every option has its default"
        yield Found("settings", GOOD, words, "See dispctl config show." if files else "")
    for kept in sorted(session_file.state_directory().glob("*.session.json")):
        if kept.stat().st_mode & 0o077:
            words = f"{kept} can be read by others."
            yield Found("session", BAD, words, f"chmod 600 {kept}", ExitCode.DAMAGED)


def _ports() -> Iterator[Found]:
    listed = list_ports()
    if not listed:
        yield Found(
            "ports", NOTE, "no port was found", "Connect a board, or start a virtual one: dispctl sim run"
        )
    for port in listed:
        yield _port(port.port, port.bridge, port.held_by, virtual=port.virtual)
    for module in serial_access.bridges_without_port():
        words = "a USB bridge is plugged in and has no port"
        yield Found("drivers", BAD, words, f"sudo modprobe {module}", ExitCode.NO_BOARD)
    for program, advice in serial_access.disturbers().items():
        yield Found("programs", NOTE, f"{program} is running", advice)


def _port(path: str, bridge: str | None, held_by: tuple[str, ...], *, virtual: bool) -> Found:
    subject = f"port {path}"
    refused = None if virtual else serial_access.denied(path)
    if refused is not None:
        advice = (
            "Log out and in again: the session does not know your group yet."
            if refused.in_group_after_login
            else f"sudo usermod -aG {refused.group} $USER, then log out and in again"
        )
        return Found(
            subject, BAD, f"you may not open it; group {refused.group} may", advice, ExitCode.NO_BOARD
        )
    if held_by:
        return Found(
            subject, NOTE, f"held by {', '.join(held_by)}", "End that program before you use the port."
        )
    return Found(subject, GOOD, bridge or "free")


def _virtual_boards() -> Iterator[Found]:
    directory = simulator_directory()
    living = {port.port.removeprefix("sim:") for port in list_ports() if port.virtual}
    for entry in sorted(directory.glob("*.json")):
        if entry.stem not in living:
            pid = None
            with suppress(OSError, ValueError, KeyError, TypeError):
                pid = json.loads(entry.read_text())["pid"]
            words = (
                f"{entry.stem} was not ended in order (process {pid} is gone)"
                if pid
                else f"{entry} is damaged"
            )
            yield Found("virtual boards", NOTE, words, f"rm {entry}")


def _backend(backend: str) -> Found:
    try:
        address = normalized(backend)
        session = session_file.load_session(backend)
    except DispctlError as error:
        return Found("backend", BAD, error.message, error.hint or "", error.exit_code)
    try:
        with BackendClient(backend, cookie=session.cookie if session else None, timeout_s=5) as client:
            operator = client.me()
    except BackendRefusedError as error:
        return Found("backend", NOTE, f"{address} answers; {error.message}", error.hint or "")
    except BackendUnreachableError as error:
        state = BAD if session else NOTE
        return Found(
            "backend", state, error.message, error.hint or "", ExitCode.BACKEND if session else ExitCode.DONE
        )
    return Found("backend", GOOD, f"{address}, logged in as {operator.name}")
