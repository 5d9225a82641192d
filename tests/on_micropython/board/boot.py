"""What the firmware's imports cost: `micropython boot.py ROOT`; one JSON line with ms and bytes of heap.

`first` is what stands before the outputs are closed, `rest` all else. `machine` and its kin are empty stand-ins.
"""

import gc
import json
import sys
import time

sys.path.insert(0, sys.argv[1] + "/src/dispctl")
for name in ("machine", "network", "esp32"):
    sys.modules[name] = sys  # type: ignore[assignment]

FIRST = ("updater", "main", "settings")
REST = (
    "hardware",
    "loading",
    "backend",
    "console",
    "dispenser",
    "http_client",
    "idle",
    "jars",
    "parts",
    "sockets",
    "watchdog",
    "wifi",
    "improv",
    "improv_service",
)


def load(names: "tuple[str, ...]") -> "tuple[float, int]":
    """Import them; ms, and bytes that stay in use."""
    gc.collect()
    used, began = gc.mem_alloc(), time.ticks_us()  # type: ignore[attr-defined]
    for each in names:
        __import__("firmware." + each)
    passed_us = time.ticks_diff(time.ticks_us(), began)  # type: ignore[attr-defined]
    gc.collect()
    return passed_us / 1000, gc.mem_alloc() - used  # type: ignore[attr-defined]


first_ms, first_bytes = load(FIRST)
rest_ms, rest_bytes = load(REST)
print(
    json.dumps(
        {"first_ms": first_ms, "first_bytes": first_bytes, "rest_ms": rest_ms, "rest_bytes": rest_bytes}
    )
)
