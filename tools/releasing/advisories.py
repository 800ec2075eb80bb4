"""Known vulnerabilities of what is locked, or the word that nobody could be asked."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools.locked import pins
from tools.releasing.release import NotRun, Release
from tools.releasing.toolbox import ask, present

LOCK = "full"


def known(release: Release) -> Iterator[str]:
    """pip-audit knows of nothing in the largest lock.

    It ends with 0 also where it could look up none of the packages: that is no answer. One package
    is asked for first, so that a machine without advisories hears so in a second.

    Raises:
        NotRun: it looked up nothing, or not everything.
    """
    lock = release.root / "requirements" / f"{LOCK}.txt"
    found = [pin for pin in pins(lock.read_text(encoding="utf-8")) if pin.applies()]
    with tempfile.TemporaryDirectory() as folder:
        for some in (found[:1], found):
            file = Path(folder) / "locked.txt"
            file.write_text("\n".join(pin.line() for pin in some), encoding="utf-8")
            problems = list(findings(*_answer(file)))
    yield from problems


def _answer(file: Path) -> tuple[str, str]:
    command = [
        str(present() / "pip-audit"),
        "--disable-pip",
        "--require-hashes",
        "--format",
        "json",
    ]
    done = ask([*command, "--progress-spinner", "off", "--requirement", str(file)])
    return done.stdout, done.stderr


def findings(output: str, errors: str) -> Iterator[str]:
    """Read pip-audit's answer.

    Raises:
        NotRun: it is none, or not one of every package.
    """
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        last = errors.strip().splitlines()[-1:] or ["it said nothing"]
        raise NotRun(f"pip-audit could not run: {last[0][:200]}") from None
    asked = [one for one in packages if "skip_reason" not in one]
    for one in asked:
        for found in one.get("vulns", ()):
            fixed = ", ".join(found.get("fix_versions", ())) or "no version"
            yield f"{one['name']} {one['version']}: {found['id']}, mended in {fixed}"
    if len(asked) < len(packages) or not packages:
        raise NotRun(
            f"pip-audit could look up {len(asked)} of {len(packages)} packages: its advisories are"
            " out of reach here"
        )
