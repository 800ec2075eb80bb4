"""A release of Venom: what holds it together, a new version of it, and its artefacts.

    python -m tools.release check              every rule of the tree and of what lies in dist/
    python -m tools.release check startup      some of them
    python -m tools.release bump 2026.12.0     a new version everywhere, and its changelog entry
    python -m tools.release build              bills of material and statement; every rule

`check` and `build` end with 0 where nothing is red, with 1 where something is. What could not be
asked reads `not run` and is never called green. docs/release.md says what each rule is for.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from tools.projects import ROOT
from tools.releasing import bills, changelog, provenance
from tools.releasing.release import SUMS, Release, written_sums
from tools.releasing.rules import FINAL, MAY_BE_MISSING, RULES, SLOW, Outcome, asked
from tools.releasing.toolbox import toolbox
from tools.releasing.version import bump


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    release = Release(options.root, options.root / "dist")
    try:
        if options.command == "bump":
            return _bump(release, options)
        if options.command == "build":
            return _build(release, options)
        return _check(release, options)
    except KeyboardInterrupt:
        print(
            "\nStopped; dist/ may be half of a release. `make release` makes it anew.",
            file=sys.stderr,
        )
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.release", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="ask the rules")
    check.add_argument("rules", nargs="*", metavar="RULE", help=f"of: {', '.join(RULES)}")
    check.add_argument("--slow", action="store_true", help=f"ask {' and '.join(SLOW)} too")
    build = commands.add_parser("build", help="make the artefacts, then ask the rules")
    for command in (check, build):
        command.add_argument("--final", action="store_true", help="it is handed out: nothing waits")
        command.add_argument("--json", action="store_true", help="the outcomes as JSON")
    bumped = commands.add_parser("bump", help="a new version")
    bumped.add_argument("version", help="YYYY.M.PATCH, above the present one")
    bumped.add_argument("--date", help="the day of the entry, YYYY-MM-DD; today without")
    bumped.add_argument("--json", action="store_true", help="the changed files as JSON")
    return parser


def _check(release: Release, options: argparse.Namespace) -> int:
    if unknown := sorted(set(options.rules) - set(RULES)):
        print(f"No rule {', '.join(unknown)}; there are: {', '.join(RULES)}", file=sys.stderr)
        return 2
    left_out = {*(() if options.slow else SLOW), *(() if options.final else FINAL)}
    names = options.rules or [name for name in RULES if name not in left_out]
    return _told([_asked(name, release, options) for name in names], options)


def _asked(name: str, release: Release, options: argparse.Namespace) -> Outcome:
    outcome = asked(name, release)
    if not options.json:
        print(f"{outcome.state:9}{name}", flush=True)
        for line in outcome.said:
            print(f"         {line}", flush=True)
    return outcome


def _told(outcomes: Iterable[Outcome], options: argparse.Namespace) -> int:
    outcomes = list(outcomes)
    red = [one.rule for one in outcomes if one.state == "red"]
    if options.command == "build":  # what was just made is there to be asked
        red += [
            one.rule
            for one in outcomes
            if one.state == "not run" and one.rule not in MAY_BE_MISSING
        ]
    if options.json:
        rules = [{"rule": one.rule, "state": one.state, "said": one.said} for one in outcomes]
        print(json.dumps({"red": red, "rules": rules}, indent=2))
    else:
        print(f"red: {', '.join(red)}" if red else "nothing is red")
    return int(bool(red))


def _bump(release: Release, options: argparse.Namespace) -> int:
    day = options.date or f"{datetime.now(UTC):%Y-%m-%d}"
    try:
        if not changelog.fragments(release.root):
            raise ValueError(changelog.NOTHING)
        changed = bump(release.root, options.version)
        changelog.write(release.root, options.version, day)
    except ValueError as error:
        print(f"make bump VERSION=YYYY.M.PATCH: {error}", file=sys.stderr)
        return 1
    changed.append("CHANGELOG.md")
    if options.json:
        print(json.dumps({"version": options.version, "changed": changed}, indent=2))
    else:
        print("\n".join(changed))
        print("Next: make dev, make check (it names what is made from the version), then commit")
    return 0


def _build(release: Release, options: argparse.Namespace) -> int:
    """Make what lies in dist/ whole; `make release` has built the wheels and the wheelhouse."""
    toolbox()
    for step, say in ((bills.write, "bills of material"), (provenance.write, "statement")):
        print(f"-- {say} ...", file=sys.stderr, flush=True)
        try:
            step(release)
        except ValueError as error:
            print(f"{say}: {error}", file=sys.stderr)
            return 1
    names = [*release.files(), release.provenance.name]
    (release.dist / SUMS).write_text(written_sums(release.dist, names), encoding="utf-8")
    left_out = () if options.final else FINAL
    rules = [name for name in RULES if name not in left_out]
    return _told([_asked(name, release, options) for name in rules], options)


if __name__ == "__main__":
    sys.exit(main())
