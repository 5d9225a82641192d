"""The file that keeps the secret of the operators' cookies."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dispctl.backend.secret_file import BadSecretFileError, read_or_create_secret, read_secret


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_it_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret"

    secret = read_or_create_secret(path)

    assert len(secret) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_create_secret(path) == secret
    assert read_or_create_secret(tmp_path / "other") != secret


@pytest.mark.parametrize("text", ["", "short", " " * 40, "x" * 31])
def test_a_short_secret_is_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadSecretFileError, match="shorter than 32 bytes"):
        read_secret(private(tmp_path / "secret", text))


@pytest.mark.skipif(os.name != "posix", reason="only POSIX keeps others out by a file's mode")
def test_a_secret_that_others_can_read_is_none(tmp_path: Path) -> None:
    path = private(tmp_path / "secret", "x" * 64)
    path.chmod(0o640)

    with pytest.raises(BadSecretFileError, match="can be read by others"):
        read_secret(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSecretFileError, match="cannot be read"):
        read_secret(tmp_path / "missing")


def test_a_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(BadSecretFileError, match="cannot be made"):
        read_or_create_secret(tmp_path / "file" / "secret")


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: read_or_create_secret(tmp_path / "secret"), range(32)))

    assert len(secrets) == 1
