"""What every command says: names are shown as they are."""

from __future__ import annotations

import pytest

from dispctl.cli.bars import Bars
from dispctl.cli.console import Console


@pytest.mark.parametrize("name", ["sim:x:", ":salt: and :x:", "[red]jar[/red]", "[/]"])
def test_names_are_no_emoji_and_no_markup(capsys: pytest.CaptureFixture[str], name: str) -> None:
    console = Console(verbose=True)
    console.result({}, name)
    console.message(name)
    console.warning(name)
    console.detail(name)
    shown = capsys.readouterr()
    assert shown.out == f"{name}\n"
    assert shown.err == f"{name}\nWarning: {name}\n{name}\n"


@pytest.mark.parametrize("name", ["sim:x:", "[red]jar[/red]"])
def test_nor_are_they_before_a_bar(capsys: pytest.CaptureFixture[str], name: str) -> None:
    console = Console()
    bars = Bars(console.err)
    bars.add(name)
    console.message(bars.render())
    assert name in capsys.readouterr().err
