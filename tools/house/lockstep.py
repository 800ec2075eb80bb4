"""One version, one release: every pin of ours equals it, and the locks agree with the projects."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.house.tree import Tree
from tools.projects import LOCKS, SIBLINGS, declared_version, direct_requirements, locked_versions

CALVER = re.compile(r"20\d\d\.(1[0-2]|[1-9])\.\d+")


def check(tree: Tree) -> list[str]:
    version = declared_version(tree.root)
    if version is None or not CALVER.fullmatch(version):
        return [f"venom_core/_version.py: {version!r} is no CalVer YYYY.M.PATCH"]
    problems = []
    for name in ("pyproject.toml", *(f"plugins/{folder}/pyproject.toml" for folder in SIBLINGS)):
        if not tree.has(name):
            problems.append(f"{name}: missing; every distribution of the release has one")
        else:
            problems += _project(name, tomllib.loads(tree.text(name)), version)
    return problems or [*_missing_from_siblings(tree), *_locks(tree)]


def _project(name: str, data: dict[str, dict[str, object]], version: str) -> Iterator[str]:
    project = data["project"]
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


def _missing_from_siblings(tree: Tree) -> Iterator[str]:
    found = {name.split("/")[1] for name in tree.files if name.startswith("plugins/venom_")}
    for folder in sorted(found - set(SIBLINGS)):
        yield f"plugins/{folder}: not listed in tools/projects.py, so no release would hold it"


def _locks(tree: Tree) -> Iterator[str]:
    seen: dict[str, tuple[str, str]] = {}
    for lock in LOCKS:
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
        for package, locked in versions.items():
            other = seen.setdefault(package, (locked, name))
            if other[0] != locked:
                yield f"{name}: {package}=={locked}, but {other[0]} in {other[1]}; run `make lock`"
