"""A release that is handed out is collected and committed; between releases neither has to be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.checks.planted import git
from tests.unit.release.made import VERSION, release
from tools import release as command
from tools.releasing.release import Release
from tools.releasing.rules import asked


@pytest.fixture
def made(tmp_path: Path) -> Release:
    made = release(tmp_path / "tree")
    (made.root / "changelog.d").mkdir()
    (made.root / "changelog.d" / "README.md").write_text("# Fragments\n")
    (made.root / ".gitignore").write_text("/dist/\n")
    git(made.root, "init", "--quiet", "--initial-branch=main")
    git(made.root, "add", "--all")
    git(made.root, "commit", "--quiet", "--message", "a release")
    return made


def test_a_release_that_is_handed_out(made: Release) -> None:
    assert asked("collected", made).state == "ok"
    assert asked("committed", made).state == "ok"
    git(made.root, "tag", f"v{VERSION}")
    git(made.root, "tag", "other")
    assert asked("committed", made).state == "ok"


def test_a_fragment_waits(made: Release) -> None:
    (made.root / "changelog.d" / "new.fixed.md").write_text("Mended.\n")
    (said,) = asked("collected", made).said
    assert said.startswith("changelog.d: 1 fragments are in no entry of CHANGELOG.md, new.fixed.md")


def test_a_file_is_not_committed(made: Release) -> None:
    (made.root / "late.py").write_text("")
    assert asked("committed", made).said == ["1 files are not as they were committed: ?? late.py"]


def test_another_version_s_tag(made: Release) -> None:
    git(made.root, "tag", "v2026.12.0")
    assert asked("committed", made).said == [
        f"this commit is tagged v2026.12.0, and the tree is {VERSION}"
    ]


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert asked("committed", release(tmp_path / "tree")).state == "not run"


def test_the_command(made: Release, capsys: pytest.CaptureFixture[str]) -> None:
    """Red is 1, an unknown rule 2, and what was not run is no green in either form."""
    words = ["--root", str(made.root), "check"]
    assert command.main([*words, "startup", "hashes", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["red"], [one["state"] for one in said["rules"]]) == ([], ["ok", "ok"])
    assert command.main([*words, "sbom"]) == 0
    assert capsys.readouterr().out.startswith("not run  sbom\n         there is no bill")
    (made.dist / "late.txt").write_text("")
    assert command.main([*words, "startup", "hashes"]) == 1
    out = capsys.readouterr().out
    assert "red      hashes\n         dist/SHA256SUMS: late.txt is not listed\n" in out
    assert out.endswith("red: hashes\n")
    assert command.main([*words, "nothing"]) == 2
    assert "No rule nothing; there are: pins, " in capsys.readouterr().err
