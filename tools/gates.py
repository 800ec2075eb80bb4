"""`make gates`: the hard gates of a change, or the word that it changes documentation alone.

    python -m tools.gates                      against where this branch left main
    python -m tools.gates --base v2026.11.0    against something else

The hard gates are `make check` (rules, types, layers, the audit of dependencies), `make test-web`
and `make test`. A change of documentation alone prints one line and runs none of them. What counts
as documentation is narrow: Markdown and pictures where people read them, by both names where a file
was renamed. Whatever is made by a command, run, packaged as code or unclear is code.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.projects import ROOT

GATES = ("check", "test-web", "test")
SKIPPED = "doc-only change, hard gates skipped by policy"
#: Where this branch left the others, the first that there is.
BASES = ("origin/main", "main")

_DOCS = re.compile(
    r"docs/.+\.md|docs/images/[^/]+\.(png|svg|jpg|webp)"
    r"|[A-Z][A-Z_]*\.md|changelog\.d/[\w.-]+\.md|plugins/[^/]+/README\.md"
    r"|\.github/(pull_request_template|ISSUE_TEMPLATE/[\w.-]+)\.md"
)
#: The names under which a tool says what it writes.
_WRITES = re.compile(r"(?m)^(TARGETS?|PAGES)\b[^\n]*=")
#: The mode of a plain file in git's records; links, modules and programs have others.
_PLAIN = {"000000", "100644"}


@cache
def made() -> frozenset[str]:
    """Return the files below docs/ that a tool says it writes, whole or in part: `make check`
    compares those with what they are made from."""
    found: set[str] = set()
    for file in sorted((ROOT / "tools").rglob("*.py")):
        for attribute in _WRITES.findall(file.read_text(encoding="utf-8")):
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            value = getattr(importlib.import_module(name), attribute)
            paths = value.values() if isinstance(value, dict) else [value]
            files = (path for path in paths if isinstance(path, Path))
            found |= {path.relative_to(ROOT).as_posix() for path in files}
    return frozenset(name for name in found if name.startswith("docs/"))


class NoBase(Exception):
    """There is nothing to compare a change with; the text says what was looked for."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file of a diff: its name, and git's modes of it before and after."""

    name: str
    modes: tuple[str, str]

    @property
    def is_documentation(self) -> bool:
        plain = set(self.modes) <= _PLAIN
        return plain and bool(_DOCS.fullmatch(self.name)) and self.name not in made()


def changes(root: Path, base: str | None) -> list[Change]:
    """Return what differs from a base, committed or not; a renamed file counts under both names.

    Raises:
        NoBase: there is no such commit, or none in common with it.
    """
    start = _start(root, base)
    # Without looking for renames each is a file gone and a file new: both names are there.
    raw = _git(root, "diff", "--raw", "-z", "--no-renames", "--no-ext-diff", start)
    found = []
    parts = raw.split("\0")
    for head, name in zip(parts[::2], parts[1::2], strict=False):
        before, after, *_ = head.lstrip(":").split()
        found.append(Change(name, (before, after)))
    new = _git(root, "ls-files", "-z", "--others", "--exclude-standard").split("\0")
    return found + [Change(name, ("000000", _mode(root / name))) for name in new if name]


def _start(root: Path, base: str | None) -> str:
    for name in (base,) if base else BASES:
        if common := _git(root, "merge-base", name, "HEAD", may_fail=True).strip():
            return common
    raise NoBase(f"no commit in common with {' or '.join((base,) if base else BASES)}")


def _mode(path: Path) -> str:
    if path.is_symlink() or not path.is_file():
        return "120000"
    return "100755" if os.access(path, os.X_OK) else "100644"


def _git(root: Path, *words: str, may_fail: bool = False) -> str:
    done = subprocess.run(
        ["git", *words], cwd=root, capture_output=True, text=True, check=False,
        errors="surrogateescape",
    )  # fmt: skip
    if done.returncode and not may_fail:
        raise NoBase(f"git {words[0]}: {done.stderr.strip()}")
    return "" if done.returncode else done.stdout


def code_of(found: Iterable[Change]) -> list[str]:
    """Return the names of what is no documentation."""
    return sorted({one.name for one in found if not one.is_documentation})


def decide(root: Path, base: str | None) -> tuple[bool, str]:
    """Return whether the hard gates have to run, and why."""
    try:
        found = changes(root, base)
    except NoBase as missing:
        return True, f"{missing}: taken for code"
    if not found:
        return True, "nothing differs: an empty change proves nothing, so the gates run"
    if code := code_of(found):
        more = f" and {len(code) - 1} more" if len(code) > 1 else ""
        return True, f"code is changed: {code[0]}{more}"
    return False, SKIPPED


def main(arguments: list[str] | None = None) -> int:
    """Return 0 where every gate is green or none has to run, else the exit code of the first."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.gates", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--base", help=f"a commit; without: {' or '.join(BASES)}")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    parser.add_argument("--dry-run", action="store_true", help="say what would run, and why")
    parser.add_argument("--json", action="store_true", help="say so as JSON; runs nothing")
    options = parser.parse_args(arguments)
    needed, why = decide(options.root, options.base or os.environ.get("GATES_BASE") or None)
    gates = GATES if needed else ()
    if options.json:
        print(json.dumps({"gates": gates, "why": why}))
        return 0
    print(f"{why}: make {' '.join(gates)}" if gates else SKIPPED, flush=True)
    if options.dry_run:
        return 0
    for gate in gates:
        code = subprocess.run(["make", "--no-print-directory", gate], cwd=ROOT, check=False)
        if code.returncode:
            print(f"red: make {gate}", file=sys.stderr)
            return code.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
