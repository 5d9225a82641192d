"""Loads the firmware's modules so that a small heap suffices: the board compiles them, and that leaves holes behind.

Collecting before each lets what stays settle side by side at the bottom of the heap. Otherwise a heap of 100 KB may
have no hole large enough for the last modules' sources, although half of it is free.
"""

import gc

# The largest first, which need the largest hole; then what imports them, so that each is compiled alone.
MODULES = (
    "job_state",
    "http_client",
    "settings",
    "job",
    "pour",
    "wifi",
    "control_lines",
    "console",
    "backend",
    "certificate_clock",
    "claim",
    "polls",
    "job_execution",
    "job_persistence",
    "control",
    "dispenser",
    "jars",
    "improv_service",
    "backend_time",
    "idle",
    "parts",
    "watchdog",
)


def load_modules(package: str) -> None:
    """Import them one by one, with all that they import themselves; `package` is this one's name where it runs."""
    for name in MODULES:
        gc.collect()
        __import__(package + "." + name)
    gc.collect()
