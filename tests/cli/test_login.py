"""`login`, `logout`, `devices`, `jars` and the configuration files on the embedded backend."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from dispctl.adapters.session_file import STATE_DIRECTORY_VARIABLE, Session, save_session
from tests.backend.actors import PASSWORD

if TYPE_CHECKING:
    from tests.backend.actors import Board
    from tests.cli.conftest import Shell

COMMANDS = (
    ("devices",), ("jars",), ("jars", "show"), ("jars", "set", "1", "--stock", "1"), ("jobs",), ("job", "show"),
    ("job", "cancel", "--yes"), ("job", "retry-failed"), ("recipes",), ("send-job", "--item", "Sal=1"),
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_to_log_in_first(shell: Shell, command: tuple[str, ...]) -> None:
    said = shell.refused(7, *command, "--json")
    assert "Log in first: dispctl login." in said


def test_a_failure_is_an_object_too(shell: Shell) -> None:
    result = shell.run("jars", "--json")
    assert json.loads(result.stdout)["error"]["code"] == result.exit_code == 7


@pytest.mark.parametrize("command", COMMANDS)
def test_a_backend_that_is_down_is_one_sentence(
    shell: Shell, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        shell.backend = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv(STATE_DIRECTORY_VARIABLE, str(shell.folder / "state"))
    save_session(shell.backend, Session("ana", "cookie-s3cret"))
    said = shell.refused(7, *command)
    assert f"The backend at {shell.backend} cannot be reached: nothing listens there." in said
    assert "cookie-s3cret" not in said


def test_logging_in_where_nobody_listens(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        shell.backend = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert "nothing listens there" in shell.refused(7, "login", "ana", "--password-stdin", stdin=PASSWORD)
    assert not (shell.folder / "state").exists()


def test_https_to_a_backend_that_speaks_http_is_said_in_words(shell: Shell) -> None:
    shell.backend = shell.backend.replace("http:", "https:")
    said = shell.refused(7, "login", "ana", "--password-stdin", stdin=PASSWORD)
    assert "speaks no TLS (http:// instead of https://?)" in said


def test_the_password_comes_from_a_variable_too_and_is_nowhere_to_be_seen(operator: Shell) -> None:
    name = operator.session()["operator"]
    operator.environment["SECRET"] = PASSWORD
    result = operator.run("login", name, "--password-env", "SECRET", "--json", "--verbose")
    assert json.loads(result.stdout)["operator"]["nome"] == name
    assert PASSWORD not in result.output
    assert operator.session()["access_token"] not in result.output


@pytest.mark.parametrize(
    ("arguments", "stdin", "sentence"),
    [
        (["ana"], "", "Password is needed and nobody is there to type it."),
        ([], "", "The operator's name is needed"),
        (["ana", "--password-stdin"], "", "Standard input holds no password."),
        (["ana", "--password-env", "NO_SUCH"], "", "The variable NO_SUCH is not set."),
        (["ana", "--password-env", "A", "--password-stdin"], "", "cannot both be given"),
        (["ana", "--password-stdin", "--backend", "nowhere"], "x", "is not an HTTP address"),
    ],
)
def test_what_login_cannot_do(shell: Shell, arguments: list[str], stdin: str, sentence: str) -> None:
    assert sentence in shell.refused(2, "login", *arguments, stdin=stdin)


def test_a_wrong_password_and_a_name_that_is_taken(operator: Shell) -> None:
    name = operator.session()["operator"]
    assert "does not accept" in operator.refused(7, "login", name, "--password-stdin", stdin="wrong-s3cret")
    taken = operator.refused(7, "login", name, "--register", "--password-stdin", stdin="wrong-s3cret")
    assert "The backend refuses the registration" in taken
    assert "wrong-s3cret" not in taken


def test_logout_removes_the_session_and_can_be_repeated(operator: Shell) -> None:
    assert operator.json("logout")["at_backend"] is True
    assert list((operator.folder / "state").glob("*.session.json")) == []
    assert operator.json("logout")["was_logged_in"] is False
    operator.refused(7, "jars")


def test_boards_are_listed_with_what_is_online(operator: Shell, board: Board) -> None:
    listed = operator.json("devices")
    assert listed["online_any"] is True
    assert "✓ online" in operator.done("devices")
    assert board.token not in json.dumps(listed)


def test_a_jar_keeps_what_is_not_given(operator: Shell) -> None:
    (jar,) = [
        jar for jar in operator.json("jars", "set", "2", "--stock", "5.5")["jars"] if jar["frasco"] == 2
    ]
    assert (jar["rotulo"], jar["g_por_seg"], jar["estoque_g"]) == ("Pimenta", 2.0, 5.5)
    assert "Jar 2 holds the same spice" in operator.run("jars", "set", "3", "--spice", "PIMENTA").stderr


@pytest.mark.parametrize(
    "arguments", [["1"], ["0", "--stock", "1"], ["5", "--stock", "1"], ["1", "--rate", "0"], ["1", "--rate", "nan"],
                  ["1", "--stock", "-1"], ["1", "--spice", " "], ["1", "--spice", "x" * 61]],
)  # fmt: skip
def test_what_a_jar_cannot_be(operator: Shell, arguments: list[str]) -> None:
    operator.refused(2, "jars", "set", *arguments)


def test_option_before_environment_before_project_before_user(operator: Shell) -> None:
    user = operator.folder / "config" / "dispctl" / "config.toml"
    user.parent.mkdir(parents=True)
    user.write_text('backend = "http://127.0.0.1:1"\n')
    (operator.folder / "dispctl.toml").write_text('backend = "http://127.0.0.1:2"\n')
    environment = operator.backend
    assert "127.0.0.1:3" in operator.refused(7, "jars", "--backend", "http://127.0.0.1:3")
    assert operator.json("jars")["jars"]
    operator.backend = ""
    assert "127.0.0.1:2" in operator.refused(7, "jars")
    (operator.folder / "dispctl.toml").unlink()
    assert "127.0.0.1:1" in operator.refused(7, "jars")
    user.write_text(f'backend = "{environment}"\n')
    assert operator.json("jars")["jars"]


def test_a_damaged_file_is_one_sentence(operator: Shell) -> None:
    (operator.folder / "dispctl.toml").write_text("backend = ")
    said = operator.refused(2, "jars")
    assert "dispctl.toml is damaged" in said
