"""Asking a running virtual board over its control address; the other side is `control_server`."""

from __future__ import annotations

import json
import socket
from typing import Any

ANSWER_WITHIN_S = 10.0


class ControlUnreachableError(Exception):
    """Nothing answers at the control address, or not in its words."""


class ControlRefusedError(Exception):
    """The board answered that it cannot; the message says why."""


def ask(address: str, op: str, **fields: Any) -> dict[str, Any]:
    """Send one request to `address` (``HOST:PORT``) and return the answer without its ``ok``.

    Raises `ControlUnreachableError` and `ControlRefusedError`.
    """
    host, _, port = address.rpartition(":")
    request = json.dumps({"op": op, **fields}).encode() + b"\n"
    try:
        with socket.create_connection((host, int(port)), timeout=ANSWER_WITHIN_S) as connection:
            connection.sendall(request)
            with connection.makefile("rb") as stream:
                answer = json.loads(stream.readline())
    except (OSError, ValueError) as error:
        raise ControlUnreachableError(f"Nothing answers at {address}.") from error
    if not answer.pop("ok"):
        raise ControlRefusedError(answer["error"])
    return dict(answer)
