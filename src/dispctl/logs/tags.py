"""The tags that the firmware's log lines begin with; a test holds them against the firmware's own source."""

FIRMWARE_TAGS = (
    "CABO",
    "CLAIM",
    "CTL",
    "ERRO",
    "EXEC",
    "HEARTBEAT",
    "HTTP",
    "LOOP",
    "PERSIST",
    "POLL",
    "REPORT",
    "RESUME",
    "SETUP",
    "WIFI",
)
