"""Where an option's value comes from, and what a damaged file says."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from dispctl.adapters import config_files
from dispctl.adapters.config_files import ConfigFile
from dispctl.cli.app import app
from dispctl.cli.configuration import default_map
from dispctl.cli.lazy_group import Listed
from dispctl.errors import UsageError

ROOT: Any = typer.main.get_command(app)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's file is ``user.toml``, the project's ``dispctl.toml``, both in `tmp_path`."""
    monkeypatch.setattr(
        config_files, "config_places", lambda: (tmp_path / "user.toml", tmp_path / "dispctl.toml")
    )
    return tmp_path


def defaults(places: Path, user: str = "", project: str = "") -> dict[str, Any]:
    (places / "user.toml").write_text(user)
    (places / "dispctl.toml").write_text(project)
    return default_map(ROOT, config_files.config_files())


def test_no_file_sets_nothing(places: Path) -> None:
    assert config_files.config_files() == []


def test_a_key_at_the_top_counts_wherever_there_is_the_option(places: Path) -> None:
    found = defaults(places, 'backend = "http://u"\nport = "sim:"\ntag = "EXEC"')
    assert (
        found["send-job"]["backend"]
        == found["jars"]["backend"]
        == found["jars"]["set"]["backend"]
        == "http://u"
    )
    assert found["provision"]["port"] == "sim:"
    assert found["monitor"]["tag"] == ["EXEC"]
    assert "port" not in found["jobs"]


def test_what_only_a_repeatable_option_can_take_counts_for_those(places: Path) -> None:
    found = defaults(places, 'tag = ["EXEC", "POLL"]\n[send-job]\nitem = ["Sal=1"]')
    assert found["monitor"]["tag"] == ["EXEC", "POLL"]
    assert found["send-job"]["item"] == ["Sal=1"]


def test_a_commands_table_goes_before_the_top_and_the_project_before_the_user(places: Path) -> None:
    found = defaults(
        places, 'backend = "http://u"\n[jobs]\nlimit = 5\nbackend = "http://uj"\n[send-job]\nwait = true',
        'backend = "http://p"\n[jars.set]\nbackend = "http://ps"',
    )  # fmt: skip
    assert found["jobs"] == {"backend": "http://p", "limit": 5}
    assert found["send-job"] == {"backend": "http://p", "wait": True}
    assert (found["jars"]["backend"], found["jars"]["set"]["backend"]) == ("http://p", "http://ps")


@pytest.mark.parametrize(
    ("text", "sentence", "hint"),
    [
        ('prot = "x"', "prot is no setting that can be set.", "Did you mean port?"),
        ("[send-jib]\n", "[send-jib] is no command that can be set.", "Did you mean send-job?"),
        ("[jobs]\nspeed = 1", "[jobs]: speed is no setting that can be set.", None),
        ("yes = true", "yes is no setting that can be set.", None),
        ("backend = [1]", "backend cannot be [1].", None),
        ("[send-job]\nwait = 1", "[send-job]: wait cannot be 1.", None),
        ("[jobs]\nlimit = true", "[jobs]: limit cannot be True.", None),
        ("backend = ", "is damaged: Invalid value (at end of document).", "Mend or remove it."),
        ("a = " + "9" * 5000, "is damaged: ", "Mend or remove it."),
    ],
)
def test_what_a_file_cannot_say(places: Path, text: str, sentence: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        defaults(places, project=text)
    assert str(places / "dispctl.toml") in caught.value.message
    assert sentence in caught.value.message
    assert hint is None or caught.value.hint == hint


def test_a_file_that_is_no_text(places: Path) -> None:
    (places / "dispctl.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8"):
        config_files.config_files()


def test_for_one_command_the_others_are_not_imported_and_their_tables_not_read(places: Path) -> None:
    (places / "dispctl.toml").write_text('backend = "http://p"\n[send-job]\nwait = "x"\n[jobs]\nlimit = 5')
    root: Any = typer.main.get_command(app)
    found = default_map(root, config_files.config_files(), only="jobs")
    assert found["jobs"] == {"backend": "http://p", "limit": 5}
    assert [name for name, command in root.commands.items() if not isinstance(command, Listed)] == ["jobs"]


def test_for_one_command_a_key_is_known_that_only_others_have(places: Path) -> None:
    root: Any = typer.main.get_command(app)
    (places / "dispctl.toml").write_text('port = "sim:"')
    assert default_map(root, config_files.config_files(), only="jobs")["jobs"] == {}
    (places / "dispctl.toml").write_text('prot = "sim:"')
    with pytest.raises(UsageError, match="prot is no setting"):
        default_map(root, config_files.config_files(), only="jobs")


TOML = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["jobs", "jars", "set", "port", "backend", "item", "wait", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["jobs", "jars", "send-job", "port", "backend", "x", "wait"]), TOML, max_size=4
    )
)
def test_any_tables_set_something_or_are_refused_in_one_sentence(tables: dict[str, Any]) -> None:
    with contextlib.suppress(UsageError):
        found = default_map(ROOT, [ConfigFile(Path("dispctl.toml"), tables)])
        assert isinstance(found["jars"]["set"], dict)


def test_a_value_that_the_parser_refuses_is_told_with_the_file_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dispctl.toml").write_text('[monitor]\nlevel = "loud"\n')
    refused = CliRunner().invoke(app, ["monitor"], env={"XDG_CONFIG_HOME": str(tmp_path / "config")})
    assert refused.exit_code == 2
    assert "It comes from dispctl.toml." in " ".join(refused.stderr.split())
    typed = CliRunner().invoke(app, ["monitor", "--level", "loud"])
    assert (typed.exit_code, "It comes from" in typed.stderr) == (2, False)
