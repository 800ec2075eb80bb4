"""The rules of a release by name, in the order they are asked, and what each says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tools.house import lockstep, strangers
from tools.house.tree import Tree
from tools.releasing import advisories, again, bills, changelog, provenance, wheels
from tools.releasing.release import NotRun, Release

Rule = Callable[[Release], Iterator[str]]


def _pins(release: Release) -> Iterator[str]:
    yield from lockstep.check(Tree(release.root))


def _documented(release: Release) -> Iterator[str]:
    yield from strangers.check(Tree(release.root))


#: Of the tree, as it is.
OF_THE_TREE: dict[str, Rule] = {
    "pins": _pins,
    "installed": wheels.installed,
    "changelog": changelog.entry,
    "strangers": _documented,
}
#: Of what lies in `dist/`.
OF_THE_ARTEFACTS: dict[str, Rule] = {
    "lockstep": wheels.lockstep,
    "startup": wheels.startup,
    "wheelhouse": wheels.wheelhouse,
    "sbom": bills.complete,
    "provenance": provenance.covers,
    "hashes": wheels.hashes,
}
#: Slow ones, which are asked where a release is made or where somebody says so.
SLOW: dict[str, Rule] = {"identical": again.identical, "advisories": advisories.known}
#: Only of a release that is handed out; between releases each of them may be red.
FINAL: dict[str, Rule] = {"collected": changelog.collected, "committed": provenance.committed}

RULES: dict[str, Rule] = {**OF_THE_TREE, **OF_THE_ARTEFACTS, **SLOW, **FINAL}
#: What a release may be made without, saying so.
MAY_BE_MISSING = ("advisories",)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Holds what a rule said.

    Args:
        state: `ok`, `red` or `not run`.
        said: the problems, or why it was not run.
    """

    rule: str
    state: str
    said: list[str] = field(default_factory=list)


def asked(rule: str, release: Release) -> Outcome:
    """Ask one rule."""
    said: list[str] = []
    try:
        said.extend(RULES[rule](release))
    except NotRun as missing:
        if not said:
            return Outcome(rule, "not run", [str(missing)])
        said.append(str(missing))
    return Outcome(rule, "red" if said else "ok", said)
