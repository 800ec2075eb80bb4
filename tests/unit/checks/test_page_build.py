"""`make ui`: what is said without npm, what is built again, and what lands beside the server."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tools import page


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small web/ whose build is a copy of one file."""
    folder = tmp_path / "web"
    (folder / "out" / "_next").mkdir(parents=True)
    (folder / "app").mkdir()
    (folder / "app" / "page.tsx").write_text("one", encoding="utf-8")
    (folder / "out" / "index.html").write_text("<html>" * 100, encoding="utf-8")
    (folder / "out" / "_next" / "a.png").write_bytes(b"\x89PNG")
    (tmp_path / "venom_core").mkdir()
    (tmp_path / "venom_core" / "_version.py").write_text("1", encoding="utf-8")
    (tmp_path / ".cache").mkdir()
    places = {"ROOT": "", "WEB": "web", "TARGET": "static", "STAMP": ".cache/page.stamp"}
    for name, place in places.items():
        monkeypatch.setattr(page, name, tmp_path / place)
    return folder


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each run of npm."""
    done: list[int] = []
    monkeypatch.setattr(page, "build", lambda: done.append(1))
    monkeypatch.setattr(page, "npm_missing", lambda: None)
    monkeypatch.setattr("sys.argv", ["page"])
    return done


def test_built_once_for_each_state_of_the_sources(web: Path, builds: list[int]) -> None:
    assert page.main() == page.main() == 0
    assert len(builds) == 1
    # What the build itself writes is no change.
    (web / "next-env.d.ts").write_text("x", encoding="utf-8")
    (web / "node_modules").mkdir()
    (web / "node_modules" / "x.js").write_text("x", encoding="utf-8")
    page.main()
    assert len(builds) == 1
    (web / "app" / "page.tsx").write_text("two", encoding="utf-8")
    page.main()
    assert len(builds) == 2


def test_texts_are_compressed_and_old_files_are_gone(web: Path, builds: list[int]) -> None:
    page.TARGET.mkdir()
    (page.TARGET / "old.html").touch()
    page.main()
    found = {path.relative_to(page.TARGET).as_posix() for path in page.TARGET.rglob("*.*")}
    assert found == {"index.html", "index.html.gz", "_next/a.png"}
    packed = (page.TARGET / "index.html.gz").read_bytes()
    assert gzip.decompress(packed) == (page.TARGET / "index.html").read_bytes()
    assert packed[4:8] == bytes(4), "a time in the header makes two equal builds differ"


@pytest.mark.parametrize(("words", "code"), [(["page"], 1), (["page", "--optional"], 0)])
def test_without_npm_it_says_how_to_get_it(
    web: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: list[str], code: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(page.shutil, "which", lambda name: None)
    monkeypatch.setattr("sys.argv", words)
    assert page.main() == code
    said = capsys.readouterr().err
    assert "npm was not found" in said
    assert "sudo apt install npm" in said
    assert not page.TARGET.exists()


def test_an_old_node_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v18.19.0\n", encoding="utf-8")
    node.chmod(0o755)
    monkeypatch.setattr(page.shutil, "which", lambda name: str(node))
    assert "Node 18.19.0 is too old" in str(page.npm_missing())
