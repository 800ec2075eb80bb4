"""The same release built a second time elsewhere: byte for byte the same, or named where not."""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tools.command import quiet
from tools.environment import VENV
from tools.house.tree import Tree
from tools.projects import ROOT
from tools.releasing.release import NotRun, Release, sha256
from tools.wheels import epoch

#: What differs from one machine to the next and must not show in what it builds.
ELSEWHERE = {"TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "271828", "LANG": "C"}


def identical(release: Release) -> Iterator[str]:
    """Built again in another folder, at another time, in another time zone: the same bytes.

    Raises:
        NotRun: nothing is built to compare with.
    """
    release.built()
    if not epoch(release.root):
        raise NotRun("neither git nor SOURCE_DATE_EPOCH says from when this tree is")
    with tempfile.TemporaryDirectory(prefix="venom-again-") as folder:
        second = rebuilt(release.root, Path(folder) / "a folder")
        yield from differences(release.dist, second)


def rebuilt(root: Path, folder: Path) -> Path:
    """Copy a tree to a folder, build it there and return its `dist/`."""
    for name in Tree(root).files:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, target)  # its own time: the copy's files are of now
    (folder / ".venv").symlink_to(VENV)
    if (root / "web" / "node_modules").is_dir():
        _linked(root / "web" / "node_modules", folder / "web" / "node_modules")
    settings = {**os.environ, **ELSEWHERE, "SOURCE_DATE_EPOCH": epoch(root)}
    settings.pop("PYTHONPATH", None)
    for module in ("tools.page", "tools.wheels"):
        if module == "tools.page" and not (root / "web" / "package.json").is_file():
            continue
        log = ROOT / ".cache" / "logs" / f"again-{module}.log"
        quiet([sys.executable, "-m", module], cwd=folder, log=log, env=settings)
    return folder / "dist"


def _linked(source: Path, target: Path) -> None:
    """Copy a folder of packages without its bytes, where the file system can."""

    def link(one: str, other: str) -> None:
        try:
            os.link(one, other)
        except OSError:
            shutil.copy2(one, other)

    shutil.copytree(source, target, symlinks=True, copy_function=link)


def differences(first: Path, second: Path) -> Iterator[str]:
    """Name what is not the same in two folders of wheels and sdists, down to the file inside."""
    one, other = (
        {p.name: p for p in folder.iterdir() if p.is_file()} for folder in (first, second)
    )
    kinds = (".whl", ".gz")
    names = {name for name in {*one, *other} if name.endswith(kinds)}
    for name in sorted(names):
        if name not in one or name not in other:
            yield f"{name}: built {'the first' if name in one else 'the second'} time only"
        elif sha256(one[name]) != sha256(other[name]):
            inside = ", ".join(_inside(one[name], other[name])) or "the archive's own headers"
            yield f"{name}: another file when built again: {inside}"


def _inside(one: Path, other: Path) -> list[str]:
    before, after = _members(one), _members(other)
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def _members(archive: Path) -> dict[str, object]:
    """Return what an archive says of each of its files."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {
                each.filename: (each.CRC, each.date_time, each.external_attr)
                for each in wheel.infolist()
                if not each.filename.endswith("/RECORD")
            }
    found: dict[str, object] = {}
    with tarfile.open(archive) as sdist:
        for each in sdist:
            file = sdist.extractfile(each)
            content = file.read() if file else b""
            found[each.name] = (content, each.mtime, each.mode, each.uname, each.gname)
    return found
