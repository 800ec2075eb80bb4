"""The plugins of the release: the folders of `plugins/` that have a pyproject.toml.

This is the only list of them; a folder more is a plugin more. The standard library only, since the
environment is made with it.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def folders(root: Path) -> list[Path]:
    """Return the plugins' folders; each is named after the package in it, `venom_hf`."""
    return sorted(path.parent for path in (root / "plugins").glob("*/pyproject.toml"))


def packages(root: Path) -> list[str]:
    """Return the names of the plugins' import packages."""
    return [folder.name for folder in folders(root)]


def distribution(package: str) -> str:
    """Return the name that a plugin is published under: `venom-hf` for `venom_hf`."""
    return package.replace("_", "-")


def short_name(package: str) -> str:
    """Return what a person calls a plugin, its extra and its page: `hf` for `venom_hf`."""
    return distribution(package).removeprefix("venom-")


def project(folder: Path) -> dict[str, Any]:
    """Return the table `[project]` of a folder's pyproject.toml."""
    table = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    found: dict[str, Any] = table.get("project", {})
    return found


def satisfied_by(root: Path, locked: set[str]) -> list[Path]:
    """Return the plugins that need nothing beyond some locked packages; engines not counted.

    Args:
        locked: normalized names.
    """
    ours = {"venom", *map(distribution, packages(root))}
    return [folder for folder in folders(root) if set(_required(folder)) <= locked | ours]


def _required(folder: Path) -> Iterator[str]:
    for text in project(folder).get("dependencies", []):
        if name := re.match(r"[A-Za-z0-9._-]+", text):
            yield normalized(name.group())


def normalized(name: str) -> str:
    """Return a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def make_importable(root: Path) -> None:
    """Let this process import the plugins of a checkout, which need not be installed."""
    sys.path[:0] = [str(folder) for folder in folders(root) if str(folder) not in sys.path]
