"""Environments apart are made again when what they were made of changes, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import apart
from tools.apart import environment, is_stale, stamp


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Record what would have been run; the locks lie in the test's folder."""
    run: list[list[str]] = []
    monkeypatch.setattr(apart, "LOCKS", tmp_path)
    monkeypatch.setattr(apart, "quiet", lambda command, **_: run.append(command))
    monkeypatch.setattr(apart.venv, "create", lambda folder, **_: folder.mkdir(exist_ok=True))
    (tmp_path / "some.txt").write_text("one==1\n")
    return run


def test_it_is_made_once_for_each_lock(commands: list[list[str]], tmp_path: Path) -> None:
    folder = tmp_path / "env"
    for _ in range(2):
        assert environment("some", folder, "Fetching") == folder / "bin" / "python"
    assert len(commands) == 1 and "--require-hashes" in commands[0]
    (tmp_path / "some.txt").write_text("one==2\n")
    environment("some", folder, "Fetching")
    assert len(commands) == 2


def test_one_that_failed_is_made_again(
    commands: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: list[str], **_: object) -> None:
        raise SystemExit("pip failed")

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(apart, "quiet", fail)
        environment("some", tmp_path / "env", "Fetching")
    environment("some", tmp_path / "env", "Fetching")
    assert len(commands) == 1


def test_every_file_that_it_was_made_of_counts(tmp_path: Path) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    for file in files:
        file.write_text("1")
    stamp(tmp_path, *files)
    assert not is_stale(tmp_path, *files)
    files[1].write_text("2")
    assert is_stale(tmp_path, *files)
