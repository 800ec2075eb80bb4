"""One version, one release: every pin of ours equals it, and the locks agree with the projects."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.house.tree import Tree
from tools.plugins import distribution, packages, short_name
from tools.projects import APART, LOCKS, declared_version, direct_requirements, locked_versions

CORE = "venom"
VERSION_FILE = "../../venom_core/_version.py"
CALVER = re.compile(r"20\d\d\.(1[0-2]|[1-9])\.\d+")


def check(tree: Tree) -> list[str]:
    version = declared_version(tree.root)
    if version is None or not CALVER.fullmatch(version):
        return [f"venom_core/_version.py: {version!r} is no CalVer YYYY.M.PATCH"]
    if not tree.has("pyproject.toml"):
        return ["pyproject.toml: missing"]
    data = tomllib.loads(tree.text("pyproject.toml"))
    problems = [*_project("pyproject.toml", data, version), *_extras(tree, data)]
    for package in packages(tree.root):
        name = f"plugins/{package}/pyproject.toml"
        data = tomllib.loads(tree.text(name))
        problems += [*_project(name, data, version), *_core(name, data)]
    return problems or list(_locks(tree))


def _project(name: str, data: dict[str, Any], version: str) -> Iterator[str]:
    project = data.get("project", {})
    if "version" in project or project.get("dynamic") != ["version"]:
        yield f"{name}: the version is read from venom_core/_version.py, not written here"
    groups = [project.get("dependencies", []), *_values(project.get("optional-dependencies"))]
    for text in (text for group in groups if isinstance(group, list) for text in group):
        requirement = Requirement(text)
        ours = canonicalize_name(requirement.name).split("-")[0] == "venom"
        if ours and str(requirement.specifier) != f"=={version}":
            yield f"{name}: {text!r} is not pinned to =={version}; run `make bump`"


def _values(table: object) -> list[object]:
    return list(table.values()) if isinstance(table, dict) else []


def _core(name: str, data: dict[str, Any]) -> Iterator[str]:
    """A plugin goes with one core: without the pin it would be installed beside any."""
    required = map(Requirement, data.get("project", {}).get("dependencies", []))
    if CORE not in {canonicalize_name(one.name) for one in required}:
        yield f"{name}: does not require {CORE}; its dependencies pin it to the version"
    version_file = data.get("tool", {}).get("hatch", {}).get("version", {}).get("path")
    if version_file != VERSION_FILE:
        yield f"{name}: [tool.hatch.version] path is {version_file!r} and not {VERSION_FILE!r}"


def _extras(tree: Tree, data: dict[str, Any]) -> Iterator[str]:
    """The extras of the core are how a plugin comes with a release."""
    extras: dict[str, list[str]] = data["project"].get("optional-dependencies", {})
    held = {
        extra: {str(canonicalize_name(Requirement(text).name)) for text in texts}
        for extra, texts in extras.items()
    }
    there = {distribution(package) for package in packages(tree.root)}
    for name in sorted({name for names in held.values() for name in names} - there):
        if name.startswith(f"{CORE}-"):
            file = f"plugins/{name.replace('-', '_')}/pyproject.toml"
            yield f"{file}: missing; an extra of pyproject.toml names it"
    for package in packages(tree.root):
        for extra in (short_name(package), "full"):
            if distribution(package) not in held.get(extra, ()):
                yield f"plugins/{package}: not listed in the extra {extra!r} of pyproject.toml"


def _locks(tree: Tree) -> Iterator[str]:
    seen: dict[str, tuple[str, str]] = {}
    for lock in (*LOCKS, *APART):
        name = f"requirements/{lock}.txt"
        if not tree.has(name):
            yield f"{name}: missing; run `make lock`"
            continue
        versions = locked_versions(tree.text(name))
        for requirement in direct_requirements(tree.root, lock):
            package: str = canonicalize_name(requirement.name)
            if package not in versions:
                yield f"{name}: {package} is required and not locked; run `make lock`"
            elif not requirement.specifier.contains(versions[package], prereleases=True):
                locked = f"{package}=={versions[package]}"
                yield f"{name}: {locked} does not satisfy '{requirement}'; run `make lock`"
        if lock in APART:
            continue
        for package, locked in versions.items():
            other = seen.setdefault(package, (locked, name))
            if other[0] != locked:
                yield f"{name}: {package}=={locked}, but {other[0]} in {other[1]}; run `make lock`"
