"""A whole small release: two distributions, one locked package, everything in its place."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path

from tests.made_wheels import sums, wheel
from tools.releasing import provenance
from tools.releasing.release import SUMS, Release, sha256, written_sums

VERSION = "2026.11.0"
LOCKED = ("httpx", "1.3")
#: What each of the two installs itself, as hatchling lays it.
FILES = {"venom": "venom_core", "venom_hf": "venom_hf"}


def release(root: Path) -> Release:
    """Write a release that has nothing wrong."""
    (root / "venom_core").mkdir(parents=True)
    (root / "venom_core" / "_version.py").write_text(f'__version__ = "{VERSION}"\n')
    (root / "plugins" / "venom_hf").mkdir(parents=True)
    (root / "plugins" / "venom_hf" / "pyproject.toml").write_text("[project]\nname = 'venom-hf'\n")
    made = Release(root, root / "dist")
    for name in made.names:
        distribution(made, name)
    other = wheel(made.wheelhouse, *LOCKED)
    (root / "requirements").mkdir()
    lock = f"{LOCKED[0]}=={LOCKED[1]} \\\n    --hash=sha256:{sha256(other)}\n"
    lock += f"colorama==1 ; sys_platform == 'none' \\\n    --hash=sha256:{'0' * 64}\n"
    (root / "requirements" / "full.txt").write_text(lock)
    handed_out(made)
    return made


def distribution(
    made: Release,
    name: str,
    *,
    version: str = VERSION,
    said: str | None = None,
    requires: str = f"venom=={VERSION}",
    extra: dict[str, bytes] | None = None,
) -> Path:
    """Write a wheel and an sdist of ours, the wheel into the wheelhouse too.

    Args:
        said: the version in its metadata, where that is another one.
        extra: more files of the wheel.
    """
    files = {f"{FILES.get(name, name)}/__init__.py": b"", **(extra or {})}
    needs = (requires, "httpx>=1") if name != "venom" else ("httpx>=1",)
    path = made.dist / f"{name}-{version}-py3-none-any.whl"
    wheel(made.dist, name, said or version, files=files, requires=needs).rename(path)
    made.wheelhouse.mkdir(exist_ok=True)
    shutil.copy(path, made.wheelhouse)
    with tarfile.open(made.dist / f"{name}-{version}.tar.gz", "w:gz"):
        pass
    return path


def handed_out(made: Release) -> None:
    """Write the lists of sums, the file with hashes and the statement over what is there now."""
    sums(made.wheelhouse)
    lines = [
        f"{name.replace('_', '-')}=={VERSION} --hash=sha256:{sha256(path)}\n"
        for name in made.names
        if (path := made.wheelhouse / f"{name}-{VERSION}-py3-none-any.whl").exists()
    ]
    lock = (made.root / "requirements" / "full.txt").read_text()
    (made.wheelhouse / "requirements-full.txt").write_text("--no-index\n" + "".join(lines) + lock)
    provenance.write(made)
    names = [*made.files(), made.provenance.name]
    (made.dist / SUMS).write_text(written_sums(made.dist, names))


def statement(made: Release) -> dict[str, object]:
    found: dict[str, object] = json.loads(made.provenance.read_text())
    return found
