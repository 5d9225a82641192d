"""Names of boards in a file that people may edit."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.adapters.aliases import Aliases, is_mac, normal_mac
from dispctl.errors import DamagedError, UsageError

MAC, OTHER = "24:6f:28:d1:5c:01", "24:6f:28:d1:5c:02"


@pytest.fixture
def aliases(tmp_path: Path) -> Aliases:
    return Aliases(tmp_path / "config" / "aliases.json")


def test_a_name_leads_to_its_board_until_it_is_forgotten(aliases: Aliases) -> None:
    assert aliases.all() == {}
    aliases.save("bench-2", OTHER)
    aliases.save("bench-1", MAC.upper().replace(":", "-"))
    assert aliases.all() == {"bench-1": MAC, "bench-2": OTHER}
    assert aliases.mac_of("bench-1") == MAC
    assert aliases.name_of(OTHER) == "bench-2"
    aliases.remove("bench-1")
    assert aliases.mac_of("bench-1") is None
    with pytest.raises(UsageError, match="no alias bench-1"):
        aliases.remove("bench-1")


@pytest.mark.parametrize("name", ["auto", "COM3", "sim:", "/dev/ttyUSB0", "rfc2217://x:1", "", "a b", "-p"])
def test_a_name_that_a_port_could_have_is_refused(aliases: Aliases, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be an alias"):
        aliases.save(name, MAC)


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"a": "b"}', "{", "\xff"])
def test_a_file_that_is_none_is_said_so(aliases: Aliases, text: str) -> None:
    aliases.path.parent.mkdir()
    aliases.path.write_text(text)
    if text == "[]":
        assert aliases.all() == {}
        return
    with pytest.raises(DamagedError, match=r"aliases\.json"):
        aliases.all()


@given(st.text(max_size=20) | st.from_regex(r"([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}", fullmatch=True))
def test_a_mac_has_one_spelling(text: str) -> None:
    if is_mac(text):
        assert is_mac(normal_mac(text))
        assert normal_mac(normal_mac(text)) == normal_mac(text)
    else:
        with pytest.raises(UsageError):
            normal_mac(text)
