"""``docs/cli.md`` is what the commands say of themselves: ``python -m dispctl.cli.reference > docs/cli.md``."""

from dispctl.cli.reference import page
from tests.docs.page import DOCS


def test_the_page_of_commands_is_up_to_date() -> None:
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == page()
