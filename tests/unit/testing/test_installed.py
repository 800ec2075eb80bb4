"""Examining what is installed: a stranger's plugin, found by its entry points."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.unit.plugins.distributions import install, install_plugin, scan_of
from tools.plugins import packages
from tools.projects import ROOT
from venom_core.plugins.discovery import Found
from venom_core.sdk.errors import NotFound
from venom_core.testing.conformance.installed import CheckRecord, check_installed
from venom_core.testing.conformance.rules import RULES
from venom_core.testing.conformance.trials import GROUP

TRIALS = """
from venom_core.testing import Ask, Subject, trial

@trial("{package}.plugin", engine="real acme 1.4")
async def real(folder):
    yield Subject(chat=Ask("m"), unreachable={{}})
"""
#: Everything that the declaration of ``install_plugin`` promises, and nothing more.
PROVIDER = """
from venom_core.sdk import (
    Answer, Choice, Frame, Health, Model, Provider, ProviderStatus, Reason, Usage, delta, finish,
    usage)
from venom_core.sdk.errors import ModelNotFound

WHY = Reason("away", "It is away.", "Wait.")

class Acme(Provider):
    async def health(self):
        return Health(ProviderStatus.UNAVAILABLE, WHY)

    async def models(self):
        return [Model("m", "folder")]

    async def chat(self, request):
        if request.model != "m":
            raise ModelNotFound("No such model.")
        if not request.stream:
            choice = Choice(index=0, role="assistant", content="hi", finish_reason="stop")
            yield Frame.of(Answer((choice,), Usage(1, 1)))
            return
        yield Frame.of(delta("hi", role="assistant"))
        yield Frame.of(finish("stop"))
        yield Frame.of(usage(1, 1))
"""


def plugin(site: Path, name: str, trials: str | None, provider: str = PROVIDER) -> list[Found]:
    """Install a stranger's plugin with its trials; give what a scan finds."""
    package = f"venom_{name}"
    install_plugin(site, name, provider=provider)
    if trials is not None:
        points = site / f"{package}-1.0.dist-info" / "entry_points.txt"
        points.write_text(points.read_text() + f"\n[{GROUP}]\n{name} = {package}.conformance\n")
        (site / package / "conformance.py").write_text(trials.format(package=package))
    return list(scan_of(site).found)


def only(records: list[CheckRecord]) -> CheckRecord:
    (record,) = records
    return record


def failed(record: CheckRecord) -> set[str]:
    return {rule["rule"] for rule in record["rules"] if rule["outcome"] == "failed"}


def test_a_strangers_plugin_is_examined_rule_by_rule(site: Path) -> None:
    record = only(check_installed("stranger", plugin(site, "stranger", TRIALS)))
    # It is never unreachable, and says that it is away all the same.
    assert failed(record) == {"unreachable_is_refused_with_a_fix"}
    assert (record["id"], record["provider"], record["engine"], record["certified"]) == (
        "stranger", "stranger", "real acme 1.4", False,
    )  # fmt: skip
    assert (record["distribution"], record["version"]) == ("venom-stranger", "1.0")
    assert [rule["rule"] for rule in record["rules"]] == list(RULES)
    for rule in record["rules"]:
        assert rule["docs"].endswith(f"#{rule['rule']}")
        assert (rule["message"] is None) == (rule["outcome"] == "passed")


def test_a_strangers_plugin_can_be_certified(site: Path) -> None:
    trials = TRIALS.replace(", unreachable={{}}", "")
    record = only(check_installed(None, plugin(site, "good", trials)))
    assert failed(record) == set()
    assert record["certified"]


IMPORTS = """
from venom_core.sdk.spec import Capability
from venom_core.testing import Ask, Subject, trial
"""
PART = f"""{IMPORTS}
@trial("{{package}}.plugin", engine="real acme 1.4", part=(Capability.PULL,))
async def source(folder):
    yield Subject()
"""
REST = """
@trial("{package}.plugin", engine="real acme 1.4", part=(Capability.CHAT,))
async def runtime(folder):
    yield Subject(chat=Ask("m"))
"""
BOTH = """
from dataclasses import replace
from venom_core.sdk.hookspecs import hookimpl
from venom_core.sdk.spec import Capability, ProviderSpec

ONE = ProviderSpec(name="two", title="Two", summary="A provider.",
    factory="venom_two.provider:Acme", capabilities=frozenset({Capability.CHAT}))

@hookimpl
def venom_providers():
    return [ONE, replace(ONE, name="two-more")]
"""


@pytest.mark.parametrize(
    ("name", "trials", "beside", "certified"),
    [
        ("half", PART, "", [False]),
        ("halves", PART + REST, "", [True, True]),
        # The other part may stand in a module of its own.
        ("apart", IMPORTS + "from venom_apart.other import source" + REST, PART, [True, True]),
        ("whole", PART + REST.replace(", part=(Capability.CHAT,)", ""), "", [True, True]),
    ],
)
def test_what_no_part_has_is_noticed(
    site: Path, name: str, trials: str, beside: str, certified: list[bool]
) -> None:
    found = plugin(site, name, trials)
    (site / f"venom_{name}" / "other.py").write_text(beside.format(package=f"venom_{name}"))
    records = check_installed(name, found)
    assert [record["certified"] for record in records] == certified
    for record in records:
        wanted = set() if record["certified"] else {"capabilities_are_examined"}
        assert failed(record) == wanted


def test_a_provider_that_no_trial_examines_is_noticed(site: Path) -> None:
    trials = TRIALS.replace(", unreachable={{}}", "").replace(
        '", engine', '", provider="two", engine'
    )
    found = plugin(site, "two", trials)
    (site / "venom_two" / "plugin.py").write_text(BOTH)
    examined, missed = check_installed("two", found)
    assert (examined["provider"], examined["certified"]) == ("two", True), failed(examined)
    assert (missed["provider"], missed["certified"], missed["rules"]) == ("two-more", False, [])
    assert missed["problem"] is not None and missed["problem"]["code"] == "no_trial"


@pytest.mark.parametrize(
    ("name", "trials", "code"),
    [("silent", None, "no_trial"), ("wrong", "import no_such_module", "bad_trial"),
     ("empty", "", "no_trial"),
     ("lost", TRIALS.replace("real(", "other(").replace("async def", "x = 1\nasync def"), None)],
    ids=["silent", "wrong", "empty", "lost"],
)  # fmt: skip
def test_one_that_cannot_be_examined_says_why(
    site: Path, name: str, trials: str | None, code: str | None
) -> None:
    record = only(check_installed(name, plugin(site, name, trials)))
    problem = record["problem"]
    assert problem is not None
    assert problem["code"] == (code or "bad_trial")
    assert problem["fix"]
    assert not record["certified"]
    assert record["rules"] == []


def test_another_api_is_not_imported(site: Path) -> None:
    install(site, "venom-old", entries={"old": "venom_old.plugin"}, group="venom.providers.v0")
    problem = only(check_installed("venom-old", scan_of(site).found))["problem"]
    assert problem is not None
    assert problem["code"] == "api_mismatch"


def test_one_that_is_not_installed(site: Path) -> None:
    with pytest.raises(NotFound) as caught:
        check_installed("nope", [])
    assert caught.value.code == "plugin_not_found"


@pytest.mark.parametrize("package", packages(ROOT))
def test_each_plugin_of_the_release_is_examined(package: str) -> None:
    folder = ROOT / "plugins" / package
    points = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["entry-points"]
    assert set(points[GROUP]) == set(points["venom.providers.v1"])
    assert set(points[GROUP].values()) == {f"{package}.conformance"}
    assert (folder / package / "conformance.py").is_file()
    tests = list((folder / "tests").rglob("test_conformance.py"))
    assert any("(ProviderConformance)" in one.read_text() for one in tests)
