"""The dispenser's MicroPython package: `firmware` on the board, `dispctl.firmware` on the host."""

VERSION = "0.1.0"
