"""One request by the firmware's own client over a real socket: `tls_client.py ROOT URL CA-FILE|none INSECURE`.

Prints the status and the reason, and how often the cable was served meanwhile.
"""

import sys
import time

sys.path.insert(0, sys.argv[1] + "/src/dispctl")

from firmware.http_client import HttpClient
from firmware.sockets import Transport


class Clock:
    """MicroPython's."""

    ticks_ms = staticmethod(time.ticks_ms)  # type: ignore[attr-defined]
    ticks_diff = staticmethod(time.ticks_diff)  # type: ignore[attr-defined]


served = 0


def pause(duration_ms: int) -> None:
    """Wait, and count it: here the firmware answers the cable."""
    global served  # noqa: PLW0603 - a counter of this script
    served += 1
    time.sleep_ms(duration_ms)  # type: ignore[attr-defined]


def read_ca(name: str) -> "str | None":
    """The PEM text, or None for "none"."""
    if name == "none":
        return None
    with open(name) as file:
        return file.read()


ca = read_ca(sys.argv[3])
client = HttpClient(Transport(pause, lambda: (ca, sys.argv[4] == "1")), Clock(), gap_ms=1000)
first = client.request("GET", sys.argv[2], "/a")
second = client.request("POST", sys.argv[2], "/b", body=lambda: (b"{", b"}"))
print(first.status, second.status, "|", first.error, "|", served)
