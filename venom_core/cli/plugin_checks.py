"""The report of `venom plugins check` for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from venom_core.cli.terminal import print_beside, print_table, say
from venom_core.cli.wording import words

Check = Mapping[str, Any]


def print_checks(records: Sequence[Check], *, every_rule: bool) -> None:
    """Print a row for each examination, then what is wrong with each.

    Args:
        every_rule: also the rules that hold, and why others were skipped.
    """
    if not records:
        say("No plugin is installed. The first one: venom plugins install ollama")
        return
    print_table(
        ("PLUGIN", "CERTIFIED", "PASSED", "FAILED", "SKIPPED", "ENGINE"),
        [
            (
                record["id"],
                words("yes" if record["certified"] else "no"),
                *(_count(record, outcome) for outcome in ("passed", "failed", "skipped")),
                record["engine"],
            )
            for record in records
        ],
    )
    for record in records:
        _print_details(record, every_rule)


def _print_details(record: Check, every_rule: bool) -> None:
    problem = record["problem"]
    if problem is not None:
        say(f"\n{record['id']}: {words(problem['message'])}")
        say(f"  {words('Fix:')} {words(problem['fix'] or '-')}")
    rules = [rule for rule in record["rules"] if every_rule or rule["outcome"] == "failed"]
    if rules:
        say(f"\n{record['id']} ({record['engine']})")
    for rule in rules:
        print_beside(f"  {words(rule['outcome'])}  ", rule["rule"])
        if rule["message"]:
            print_beside("      ", rule["message"])
        if rule["outcome"] == "failed":
            print_beside("      ", rule["docs"])


def _count(record: Check, outcome: str) -> int:
    return sum(rule["outcome"] == outcome for rule in record["rules"])
