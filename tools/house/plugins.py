"""A plugin of the release is whole: its folder, its names, and its place in the documentation.

What pins it to the release is looked at in ``lockstep``, what it imports by import-linter.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from tools.house.subjects import Unreadable, probe
from tools.house.tree import Tree
from tools.plugins import distribution, packages, short_name

FOLDER = re.compile(r"venom_[a-z0-9]+(_[a-z0-9]+)*")
GROUP = "venom.providers.v1"
#: Pages that list the plugins, and how each names one: by its page, or by its name in code.
LISTS = {
    "docs/index.md": "providers/{}.md", "docs/pl/index.md": "providers/{}.md",
    "docs/plugins.md": "`{}`", "docs/pl/plugins.md": "`{}`",
    "docs/install.md": "`{}`", "docs/pl/install.md": "`{}`",
    "README.md": "`{}`", "README_PL.md": "`{}`",
    "docs/nav.toml": '"providers/{}"',
}  # fmt: skip
#: Says which names an author cannot take: those that the core reserves, aliases too.
TUTORIALS = ("docs/tutorials/your-first-provider.md", "docs/pl/tutorials/your-first-provider.md")
PAGES = ("docs/providers/{}.md", "docs/pl/providers/{}.md")


def check(tree: Tree) -> list[str]:
    there = packages(tree.root)
    found = sorted({name.split("/")[1] for name in tree.files if _inside(name)} - set(there))
    problems = [
        f"plugins/{folder}: no pyproject.toml, so no list of plugins holds it" for folder in found
    ]
    for package in there:
        problems += _folder(tree, package)
        problems += _documentation(tree, package)
    return problems or list(_names(tree, there))


def figure(tree: Tree) -> str:
    """Return how many plugins the release has."""
    return f"{len(packages(tree.root))} plugins"


def _inside(name: str) -> bool:
    return name.startswith("plugins/") and name.count("/") > 1


def _folder(tree: Tree, package: str) -> Iterator[str]:
    place = f"plugins/{package}"
    if not FOLDER.fullmatch(package):
        yield f"{place}: a plugin's folder is named like its package, venom_NAME"
    for name in ("README.md", *(f"{package}/{name}" for name in ("__init__.py", "plugin.py"))):
        if not tree.has(f"{place}/{name}"):
            yield f"{place}/{name}: missing"
    if not tree.has(f"{place}/{package}/py.typed"):
        yield f"{place}/{package}/py.typed: missing; its types are for those who use it too"
    if not any(name.startswith(f"{place}/tests/test_") for name in tree.files):
        yield f"{place}/tests: no test"
    data = tomllib.loads(tree.text(f"{place}/pyproject.toml"))
    project = data.get("project", {})
    if project.get("name") != distribution(package):
        yield f"{place}/pyproject.toml: the name is not {distribution(package)!r}"
    points = project.get("entry-points", {}).get(GROUP, {})
    if set(points.values()) != {f"{package}.plugin"}:
        yield f"{place}/pyproject.toml: no entry point of {GROUP} leads to {package}.plugin"
    if _built(data) != [package]:
        yield f"{place}/pyproject.toml: its wheel would not hold the package {package} alone"


def _built(data: dict[str, Any]) -> object:
    for key in ("tool", "hatch", "build", "targets", "wheel"):
        data = data.get(key, {})
    return data.get("packages")


def _documentation(tree: Tree, package: str) -> Iterator[str]:
    name = short_name(package)
    for page in (page.format(name) for page in PAGES):
        if not tree.has(page):
            yield f"{page}: missing; every plugin has its page"
    for page, pattern in LISTS.items():
        text = pattern.format(name)
        if tree.has(page) and text not in tree.text(page):
            yield f"{page}: lists the plugins, and not {package} ({text})"


def _names(tree: Tree, there: list[str]) -> Iterator[str]:
    """The core keeps for a plugin what its manifest uses, or a stranger's could take it."""
    try:
        found = probe(tree, "names")
    except Unreadable as error:
        yield str(error)
        return
    for page in TUTORIALS:
        for name in found["reserved"]:
            if tree.has(page) and f"`{name}`" not in tree.text(page):
                yield f"{page}: does not say that the name {name!r} is Venom's own"
    for package in there:
        for name in found["plugins"][package]:
            owner = found["reserved"].get(name)
            if owner is None:
                where = f"plugins/{package}/pyproject.toml"
                yield f"{where}: {name!r} of its provider is not in [tool.venom] reserves"
            elif owner != distribution(package):
                yield f"plugins/{package}: its provider's name {name!r} is reserved for {owner}"
