"""The tags that completion offers are those that the firmware prints."""

import re
from pathlib import Path

import dispctl.firmware
from dispctl.logs.tags import FIRMWARE_TAGS

FIRMWARE = Path(dispctl.firmware.__file__).parent


def test_every_tag_of_the_firmware_is_known_and_no_other() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in FIRMWARE.glob("*.py"))
    printed = set(re.findall(r'\.log\(\s*"([A-Z]+)"', sources)) | {"CTL"}
    assert printed == set(FIRMWARE_TAGS)
