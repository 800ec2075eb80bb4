"""The proofs that a report in docs/_done names are there: tests, files, targets of make."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
REPORTS = sorted((ROOT / "docs" / "_done").glob("*.md"))
_CODE = re.compile(r"`([^`]+)`")


@cache
def known_tests() -> frozenset[str]:
    found: set[str] = set()
    for folder in (ROOT / "tests", ROOT / "plugins"):
        for path in folder.rglob("test_*.py"):
            found.update(re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8")))
    return frozenset(found)


@cache
def make_targets() -> frozenset[str]:
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    return frozenset(found[1] for line in lines if (found := re.match(r"([a-z0-9-]+):", line)))


def missing(text: str) -> list[str]:
    """Return the names of tests, files and targets in ``text`` that nothing is behind."""
    unknown = []
    for name in _CODE.findall(text):
        path, _, test = name.rpartition("::")
        if test.startswith("test_") and " " not in test and test not in known_tests():
            unknown.append(name)
        place = path or name
        if re.match(r"(tests|tools|bench|deploy|compose|plugins|requirements)/\S+$", place):
            unknown += [] if (ROOT / place).exists() else [name]
        if (target := re.match(r"make ([a-z-]+)", name)) and target[1] not in make_targets():
            unknown.append(name)
    return unknown


@pytest.mark.parametrize("report", REPORTS, ids=lambda path: path.name)
def test_the_proofs_of_a_report_are_there(report: Path) -> None:
    assert missing(report.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "name", ["test_of_nothing", "tests/unit/no.py::test_version_opens_nothing_big", "make nothing"]
)
def test_a_proof_that_is_not_there_is_named(name: str) -> None:
    assert missing(f"| a | `{name}` |") == [name]
