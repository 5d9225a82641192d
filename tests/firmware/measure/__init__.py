"""Commands that measure the firmware: `python -m tests.firmware.measure.<name> --help`; not collected as tests."""
