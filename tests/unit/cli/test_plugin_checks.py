"""`venom plugins check`: the table, the record and the exit code."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.unit.cli.conftest import Cli
from tests.unit.testing import manifest
from tests.unit.testing.lawful import lawful
from venom_core.plugins.discovery import Found, Scan
from venom_core.testing.conformance import installed
from venom_core.testing.conformance.rules import RULES
from venom_core.testing.conformance.subject import trial

GOOD = Found("lawful", manifest.__name__, "v1", "venom-lawful", "1.0", "third_party")
SILENT = replace(GOOD, id="silent", distribution="venom-silent")


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    made = trial(manifest.__name__, engine="real acme")(lawful)
    monkeypatch.setattr(installed, "scan", lambda: Scan("1", (GOOD, SILENT)))
    monkeypatch.setattr(installed, "trials_of", lambda found: [made] if found is GOOD else [])


def test_a_certified_plugin_ends_with_0_and_has_each_rule(cli: Cli) -> None:
    result = cli("plugins", "check", "lawful")
    assert result.code == 0, result.out
    table, rules = result.out.split("\n\n")
    assert table.split("\n")[1].split() == [
        "lawful", "yes", str(len(RULES) - 1), "0", "1", "real", "acme",
    ]  # fmt: skip
    assert all(f"passed  {name}" in rules or f"skipped  {name}" in rules for name in RULES)


def test_json_is_one_document(cli: Cli) -> None:
    result = cli("plugins", "check", "--all", "--json")
    assert result.code == 1
    good, silent = json.loads(result.out)["plugins"]
    assert (good["id"], good["certified"], good["engine"]) == ("lawful", True, "real acme")
    assert (silent["certified"], silent["problem"]["code"]) == (False, "no_trial")


def test_a_broken_rule_is_told_with_its_page(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = replace(manifest.SPEC, factory="tests.unit.testing.broken_answers:UsageTwice")
    monkeypatch.setattr(manifest, "SPEC", broken)
    result = cli("plugins", "check", "--all")
    assert result.code == 1
    failed = result.out.split("\n")[1].split()[3]
    assert (failed, "the usage is told 2 times" in result.out) == ("1", True)
    assert "/docs/plugins/conformance#one_usage" in result.out
    assert "passed  frames" not in result.out  # of several the rules that hold are not told
    assert "does not say how it is examined" in result.out


@pytest.mark.parametrize("arguments", [(), ("lawful", "--all")], ids=["none", "both"])
def test_a_name_or_all(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert cli("plugins", "check", *arguments).code == 2


def test_an_unknown_plugin(cli: Cli) -> None:
    result = cli("plugins", "check", "nope")
    assert result.code == 4
    assert "plugin_not_found" in result.err


def test_the_table_is_polish_by_the_locale(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "pl_PL.UTF-8")
    result = cli("plugins", "check", "lawful")
    assert "CERTYFIKAT" in result.out
    assert "spełniona" in result.out
