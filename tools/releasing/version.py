"""A new version in the one file that holds it, and in every pin of ours."""

from __future__ import annotations

import re
from pathlib import Path

from tools.house.lockstep import CALVER
from tools.plugins import packages
from tools.projects import declared_version

PIN = re.compile(r'(venom(?:-[a-z0-9-]+)?(?:\[[a-z0-9,-]+\])?==)[^"\s;]+')


def bump(root: Path, version: str) -> list[str]:
    """Rewrite the version and the pins of ours.

    Returns:
        The files that changed, relative to the root.

    Raises:
        ValueError: the version is no CalVer, or not above the present one.
    """
    if not CALVER.fullmatch(version):
        raise ValueError(f"{version!r} is no CalVer YYYY.M.PATCH")
    present = declared_version(root)
    if present and _key(version) <= _key(present):
        raise ValueError(f"{version} is not above {present}")
    changed = []
    plugins = [f"plugins/{package}/pyproject.toml" for package in packages(root)]
    files = sorted((root / "requirements" / "files").glob("requirements*.txt"))
    exported = [path.relative_to(root).as_posix() for path in files]
    for name in ("pyproject.toml", *plugins, *exported):
        changed += _rewrite(root, name, PIN.sub(rf"\g<1>{version}", _read(root, name)))
    name = "venom_core/_version.py"
    text = re.sub(r'(?m)^__version__ = ".*"$', f'__version__ = "{version}"', _read(root, name))
    return changed + _rewrite(root, name, text)


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _read(root: Path, name: str) -> str:
    return (root / name).read_text(encoding="utf-8")


def _rewrite(root: Path, name: str, text: str) -> list[str]:
    if text == _read(root, name):
        return []
    (root / name).write_text(text, encoding="utf-8")
    return [name]
