"""Two builds are compared down to the file inside that differs."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.unit.release.made import release
from tools.releasing.again import differences
from tools.releasing.rules import asked
from tools.wheels import epoch

SAME = (2020, 2, 2, 0, 0, 0)


def built(folder: Path, *, text: str = "x", time: tuple[int, ...] = SAME, mtime: int = 0) -> Path:
    folder.mkdir()
    with zipfile.ZipFile(folder / "venom-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr(zipfile.ZipInfo("venom_core/x.py", time), text)  # type: ignore[arg-type]
        wheel.writestr(zipfile.ZipInfo("venom-1.dist-info/RECORD", SAME), text)
    with tarfile.open(folder / "venom-1.tar", "w") as sdist:
        info = tarfile.TarInfo("venom-1/x.py")
        info.size, info.mtime = len(text), mtime
        sdist.addfile(info, io.BytesIO(text.encode()))
    (folder / "venom-1.tar").rename(folder / "venom-1.tar.gz")
    (folder / "SHA256SUMS").write_text(str(folder))
    return folder


def test_the_same(tmp_path: Path) -> None:
    assert list(differences(built(tmp_path / "one"), built(tmp_path / "two"))) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"text": "y"}, ["wheel: venom_core/x.py", "sdist: venom-1/x.py"]),
        ({"time": (2026, 1, 1, 0, 0, 0)}, ["wheel: venom_core/x.py"]),
        ({"mtime": 1}, ["sdist: venom-1/x.py"]),
    ],
)
def test_a_file_with_the_time_of_its_build(
    tmp_path: Path, changed: dict[str, object], said: list[str]
) -> None:
    second = built(tmp_path / "two", **changed)  # type: ignore[arg-type]
    found = list(differences(built(tmp_path / "one"), second))
    assert len(found) == len(said)
    for problem, each in zip(sorted(found, reverse=False), said, strict=True):
        kind, _, file = each.partition(": ")
        assert problem.startswith("venom-1-py3" if kind == "wheel" else "venom-1.tar.gz")
        assert problem.endswith(f"another file when built again: {file}")


def test_built_one_time_only(tmp_path: Path) -> None:
    one, two = built(tmp_path / "one"), built(tmp_path / "two")
    (two / "venom-1.tar.gz").unlink()
    assert list(differences(one, two)) == ["venom-1.tar.gz: built the first time only"]
    assert list(differences(two, one)) == ["venom-1.tar.gz: built the second time only"]


def test_a_tree_without_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    made = release(tmp_path / "tree")
    outcome = asked("identical", made)
    assert (outcome.state, "SOURCE_DATE_EPOCH" in outcome.said[0]) == ("not run", True)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "17")
    assert epoch(made.root) == "17"
