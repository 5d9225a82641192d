"""A running virtual board's control line: one JSON object a line over TCP, asked from outside the board.

This is the hand at the plug and the eye on the jars; what the firmware knows comes over the serial cable alone.
"""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

from dispctl.errors import BoardNotFoundError, BoardRefusedError

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

TIMEOUT_S = 10.0


class Simulator:
    """The control line at `address` (``HOST:PORT``); a context manager. Raises `BoardNotFoundError` where none listens."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        try:
            self._socket = socket.create_connection((host, int(port)), timeout=TIMEOUT_S)
        except OSError as error:
            raise _gone(address) from error
        self._address = address
        self._answers = self._socket.makefile("rb")

    def request(self, op: str, **fields: Any) -> dict[str, Any]:
        """The answer to one request; raises `BoardRefusedError` with the board's reason, `BoardNotFoundError` if it is gone."""
        try:
            self._socket.sendall(json.dumps({"op": op, **fields}).encode() + b"\n")
            answer: dict[str, Any] = json.loads(self._answers.readline())
        except (OSError, ValueError) as error:
            raise _gone(self._address) from error
        if not answer.pop("ok", False):
            raise BoardRefusedError(f"The virtual board refuses {op}: {answer.get('error')}")
        return answer

    def doses(self) -> dict[str, Any]:
        """When each jar was open, in milliseconds of board time: ``{"now_ms", "jars": [{"jar", "open", …}]}``."""
        return self.request("doses")

    def close(self) -> None:
        """Let the control line go; the board runs on."""
        self._answers.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _gone(address: str) -> BoardNotFoundError:
    return BoardNotFoundError(f"No virtual board answers at {address}.", hint="Start one: dispctl sim run.")
