"""Loads the firmware's modules so that a small heap suffices: the board compiles them, and that leaves holes behind.

Collecting before each lets what stays settle side by side at the bottom of the heap. Otherwise a heap of 100 KB may
have no hole large enough for the last modules' sources, although half of it is free.
"""

import gc

LARGE_MODULES = (
    "dispenser",
    "jars",
    "http_client",
    "improv_service",
    "settings",
    "wifi",
    "backend",
    "console",
    "idle",
    "parts",
    "watchdog",
)


def load_large_modules(package: str) -> None:
    """Import them one by one, with all that they import themselves; `package` is this one's name where it runs."""
    for name in LARGE_MODULES:
        gc.collect()
        __import__(package + "." + name)
    gc.collect()
