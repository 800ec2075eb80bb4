"""`python -m tools.platforms`: for which systems and Pythons the locks have wheels.

Asks the resolver, which plays each system, for wheels only; nothing is installed. The answers go to
requirements/platforms.json and into the table of docs/airgapped.md, in both languages; ``--check``
says where one of them is stale. What was resolved is not what was run: only this machine's is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from tools.lock import resolver
from tools.projects import ROOT

FOLDER = ROOT / "requirements"
RECORD = FOLDER / "platforms.json"
PAGES = {"en": ROOT / "docs" / "airgapped.md", "pl": ROOT / "docs" / "pl" / "airgapped.md"}
SETS = ("light", "embedded", "full")
PYTHONS = ("3.11", "3.12", "3.13")
#: The oldest glibc whose wheels are taken, and the newest: every one between them is a tag.
_GLIBC = range(5, 36)


@dataclass(frozen=True, slots=True)
class Platform:
    """A system.

    Args:
        plays: what the resolver calls it.
        tags: what wheels for it are marked with.
        system: Python's name of it, with the machine's.
        least: what it needs at least, where the resolver is told.
    """

    title: str
    plays: str
    tags: tuple[str, ...]
    system: tuple[str, str]
    least: dict[str, str]


def _linux(machine: str) -> tuple[str, ...]:
    old = ("manylinux2014", "manylinux2010", "manylinux1")
    new = (f"manylinux_2_{minor}_{machine}" for minor in _GLIBC)
    return (*new, *(f"{name}_{machine}" for name in old), f"linux_{machine}")


_MACOS = {"MACOSX_DEPLOYMENT_TARGET": "14.0"}
PLATFORMS = {
    "linux-x86_64": Platform(
        "Linux x86_64, glibc 2.35", "x86_64-manylinux_2_35", _linux("x86_64"),
        ("Linux", "x86_64"), {},
    ),
    "linux-arm64": Platform(
        "Linux arm64, glibc 2.35", "aarch64-manylinux_2_35", _linux("aarch64"),
        ("Linux", "aarch64"), {},
    ),
    "macos-arm64": Platform(
        "macOS 14, Apple silicon", "aarch64-apple-darwin", ("macosx_14_0_arm64",),
        ("Darwin", "arm64"), _MACOS,
    ),
    "macos-x86_64": Platform(
        "macOS 14, Intel", "x86_64-apple-darwin", ("macosx_14_0_x86_64",),
        ("Darwin", "x86_64"), _MACOS,
    ),
    "windows-x86_64": Platform(
        "Windows x86_64", "x86_64-pc-windows-msvc", ("win_amd64",), ("Windows", "AMD64"), {}
    ),
}  # fmt: skip


class Unresolved(Exception):
    """A lock has no wheel for a system; the text names the package."""


def resolved(lock: str, target: Platform, python: str) -> dict[str, str]:
    """Return package -> version of what a lock installs on a system, from wheels alone.

    Raises:
        Unresolved: a package has none for it.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [*resolver(), "pip", "install", "--dry-run", "--no-deps", "--require-hashes"]
        command += ["--only-binary", ":all:", "--python-platform", target.plays]
        command += ["--python-version", python, "--target", folder, "--color", "never"]
        done = subprocess.run(
            [*command, "--requirement", str(FOLDER / f"{lock}.txt")], cwd=ROOT, text=True,
            capture_output=True, env={**os.environ, **target.least}, check=False,
        )  # fmt: skip
    if done.returncode:
        because = re.search(r"Because (\S+) has no wheels", done.stderr)
        raise Unresolved(because[1] if because else done.stderr.strip()[-400:])
    found = re.findall(r"^ \+ ([^=\s]+)==(\S+)$", done.stderr, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def recorded() -> dict[str, object]:
    """Ask for every lock, system and Python."""
    here = (platform.system(), platform.machine())
    this = f"{sys.version_info.major}.{sys.version_info.minor}"
    systems = {}
    for name, target in PLATFORMS.items():
        print(f"{target.title} ...", file=sys.stderr, flush=True)
        sets = {lock: {python: _count(lock, target, python) for python in PYTHONS} for lock in SETS}
        systems[name] = {"run": [this] if target.system == here else [], "sets": sets}
    return {"locks": _digests(), "systems": systems}


def _count(lock: str, target: Platform, python: str) -> int | str:
    try:
        return len(resolved(lock, target, python))
    except Unresolved as missing:
        return str(missing)


def _digests() -> dict[str, str]:
    files = {lock: FOLDER / f"{lock}.txt" for lock in SETS}
    return {lock: hashlib.sha256(file.read_bytes()).hexdigest() for lock, file in files.items()}


_WORDS = {
    "en": ("system", "Python {}", "not run", "ran on Python {}", "no wheel of {}", "state"),
    "pl": (
        "system", "Python {}", "nie uruchomiono", "uruchomiono na Pythonie {}", "brak {}", "stan",
    ),
}  # fmt: skip
_TABLE = re.compile(
    r"(?P<head>^## (The systems|Systemy)[^\n]*\n(?:[^|\n#].*\n|\n)+)(?:\|.*\n)+", re.MULTILINE
)


def page(language: str, record: dict[str, object], text: str) -> str:
    """Return a page with the table as the record has it."""
    table = "\n".join(_rows(language, record)) + "\n"
    text, count = _TABLE.subn(lambda found: found["head"] + table, text)
    if count != 1:
        raise ValueError(f"the page in {language} has no table of systems")
    return text


def _rows(language: str, record: dict[str, object]) -> Iterable[str]:
    system, on, not_run, ran, missing, state = _WORDS[language]
    columns = [f"`{lock}`" for lock in SETS]
    yield f"| {system} | `--for` | {' | '.join(columns)} | {state} |"
    yield "|---" * (len(columns) + 3) + "|"
    systems = record["systems"]
    assert isinstance(systems, dict)
    for name, one in systems.items():
        cells = [_cell(one["sets"][lock], on, missing) for lock in SETS]
        said = ran.format(", ".join(one["run"])) if one["run"] else not_run
        yield f"| {PLATFORMS[name].title} | `{name}` | {' | '.join(cells)} | {said} |"


def _cell(answers: dict[str, int | str], on: str, missing: str) -> str:
    said = {
        python: str(answer) if isinstance(answer, int) else missing.format(f"`{answer}`")
        for python, answer in answers.items()
    }
    if len(set(said.values())) == 1:
        return next(iter(said.values()))
    return ", ".join(f"{on.format(python)}: {answer}" for python, answer in said.items())


def main(arguments: list[str] | None = None) -> int:
    """Return 1 where ``--check`` finds the record or a page stale."""
    parser = argparse.ArgumentParser(prog="python -m tools.platforms", description=__doc__)
    parser.add_argument("--check", action="store_true", help="1 where the table is stale")
    options = parser.parse_args(arguments)
    if not options.check:
        RECORD.write_text(json.dumps(recorded(), indent=1) + "\n", encoding="utf-8")
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    stale = [] if record["locks"] == _digests() else [RECORD.relative_to(ROOT).as_posix()]
    for language, file in PAGES.items():
        before = file.read_text(encoding="utf-8")
        after = page(language, record, before)
        if before != after and options.check:
            stale.append(file.relative_to(ROOT).as_posix())
        elif before != after:
            file.write_text(after, encoding="utf-8")
    for name in stale:
        print(f"{name} is stale: write it with: python -m tools.platforms")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
