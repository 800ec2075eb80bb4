"""Each rule of the conformance kit passes a provider that keeps it and fails one that does not."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.plugins.distributions import PROVIDER, install_plugin
from tests.unit.testing import broken, broken_answers, manifest
from tests.unit.testing.breaking import BROKEN
from tests.unit.testing.lawful import lawful
from venom_core.sdk import law
from venom_core.sdk.errors import Unavailable
from venom_core.sdk.spec import Capability
from venom_core.testing.conformance import rule as rules
from venom_core.testing.conformance.examination import Report, examine_here
from venom_core.testing.conformance.rules import RULES
from venom_core.testing.conformance.subject import Ask, Subject, Trial, trial

LAWFUL = trial(manifest.__name__, engine="memory")(lawful)
#: Rules that are broken by more than a class, below.
OTHERWISE = {
    "spec_is_valid", "capabilities_are_examined", "finding_imports_nothing",
    "loading_imports_the_manifest_only", "heavy_libraries_stay_out",
}  # fmt: skip
CASES = [
    pytest.param(rule, one, id=f"{rule}-{one.__name__}")
    for rule, classes in sorted(BROKEN.items())
    for one in classes
]


@pytest.fixture(autouse=True)
def _ends_what_is_left() -> Iterator[None]:
    yield
    while broken.LEFT:
        child = broken.LEFT.pop()
        child.kill()
        child.wait()
    broken_answers.KEPT.clear()


def examined(folder: Path, *rules: str, trial: Trial = LAWFUL) -> Report:
    return examine_here(trial, folder, set(rules) or None)


def test_a_provider_that_keeps_every_rule_is_certified(tmp_path: Path) -> None:
    report = examined(tmp_path)
    assert [(one.rule.name, one.said) for one in report.failures()] == []
    skipped = {name for name, one in report.outcomes.items() if one.state == "skipped"}
    assert skipped == {"finding_imports_nothing"}  # it is not installed
    assert report.certified
    assert set(report.outcomes) == set(RULES)


def test_each_rule_has_a_provider_that_breaks_it() -> None:
    assert set(BROKEN) | OTHERWISE == set(RULES)


ALL = frozenset(manifest.SPEC.capabilities)
CHAT, REST = frozenset({Capability.CHAT}), ALL - {Capability.CHAT}


@pytest.mark.parametrize(
    ("part", "others", "missing"),
    [
        ((), [], set()),
        (ALL, [], set()),
        (CHAT, [], REST),
        (REST, [], CHAT),
        (CHAT, [{"part": REST}], set()),
        (CHAT, [{"part": REST - {Capability.EMBED}}], {Capability.EMBED}),
        (CHAT, [{"part": REST - {Capability.EMBED}}, {"part": (Capability.EMBED,)}], set()),
        (CHAT, [{}], set()),
        (CHAT, [{"part": REST, "manifest": "another.plugin"}], REST),
        (CHAT, [{"part": REST, "provider": "another"}], REST),
        (CHAT, [{"part": REST, "provider": manifest.SPEC.name}], set()),
    ],
)
def test_what_is_declared_is_in_some_trials_part(
    part: Any, others: Any, missing: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, other in enumerate(others):
        made = trial(**{"manifest": manifest.__name__, "engine": f"other {number}", **other})(
            lawful
        )
        monkeypatch.setattr(sys.modules[lawful.__module__], f"other{number}", made, raising=False)
    mine = trial(manifest.__name__, engine="memory", part=part)(lawful)
    report = examined(tmp_path, "capabilities_are_examined", trial=mine)
    outcome = report.outcomes["capabilities_are_examined"]
    assert outcome.state == ("failed" if missing else "passed"), outcome
    assert report.certified == (not missing)
    if missing:
        assert f"part has {', '.join(sorted(missing))}, and" in (outcome.said or "")


@pytest.mark.parametrize(("rule", "provider"), CASES)
def test_a_provider_that_breaks_a_rule_fails_it(
    rule: str, provider: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    factory = f"{provider.__module__}:{provider.__name__}"
    monkeypatch.setattr(manifest, "SPEC", replace(manifest.SPEC, factory=factory))
    report = examined(tmp_path, rule)
    outcome = report.outcomes[rule]
    assert outcome.state == "failed", outcome
    assert outcome.said
    assert outcome.said.endswith((".", ":", "}", "]")) or ": " in outcome.said
    assert not report.certified


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"title": "a\nb"}, "title"),
        ({"name": "hf-x", "aliases": ("ollama",)}, "ollama"),
        ({"aliases": 3}, "aliases"),
    ],
    ids=["title", "name", "aliases"],
)
def test_a_bad_declaration_is_told(
    changes: dict[str, Any], word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "SPEC", replace(manifest.SPEC, **changes))
    outcome = examined(tmp_path, "spec_is_valid").outcomes["spec_is_valid"]
    assert outcome.state == "failed"
    assert word in (outcome.said or "")


def test_an_undeclared_method_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fewer = manifest.SPEC.capabilities - {Capability.NEWS}
    monkeypatch.setattr(manifest, "SPEC", replace(manifest.SPEC, capabilities=fewer))
    report = examined(tmp_path, "capabilities_match_methods", "news_is_newest_first")
    assert "news" in (report.outcomes["capabilities_match_methods"].said or "")
    skipped = report.outcomes["news_is_newest_first"]
    assert (skipped.state, skipped.said) == ("skipped", "The provider declares no news.")


def test_a_provider_of_which_no_rule_says_anything_is_not_certified(tmp_path: Path) -> None:
    report = examined(tmp_path, "finding_imports_nothing")
    assert [one.state for one in report.outcomes.values()] == ["skipped"]
    assert not report.certified


def test_a_rule_that_does_not_end_is_a_failed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(case: object) -> None:
        await asyncio.Event().wait()

    @trial(manifest.__name__, engine="memory")
    async def hasty(folder: Path) -> AsyncIterator[Subject]:
        async for subject in lawful(folder):
            yield replace(subject, seconds=0.05)

    monkeypatch.setitem(RULES, "spec_is_valid", replace(RULES["spec_is_valid"], check=hang))
    outcome = examined(tmp_path, "spec_is_valid", trial=hasty).outcomes["spec_is_valid"]
    assert outcome.state == "failed"
    assert (outcome.said or "").startswith("It had not ended after ")


@pytest.mark.parametrize("missing", ["chat", "complete", "embed"])
def test_a_declared_capability_without_an_ask_fails(missing: str, tmp_path: Path) -> None:
    @trial(manifest.__name__, engine="memory")
    async def lacking(folder: Path) -> AsyncIterator[Subject]:
        async for subject in lawful(folder):
            yield replace(subject, **{missing: None})

    report = examined(tmp_path, "frames", "embeddings_are_even", trial=lacking)
    assert any(f"no {missing!r}" in (one.said or "") for one in report.failures())
    assert not report.certified


def test_what_the_trial_does_not_give_is_skipped_with_the_reason(tmp_path: Path) -> None:
    @trial(manifest.__name__, engine="memory")
    async def bare(folder: Path) -> AsyncIterator[Subject]:
        yield Subject(chat=Ask("tiny"), complete=Ask("tiny"), embed=Ask("tiny"))

    report = examined(tmp_path, trial=bare)
    assert {name for name, one in report.outcomes.items() if one.state == "skipped"} == {
        "broken_streams_raise", "build_progress_only_grows", "built_models_are_listed",
        "cards_add_up", "declared_parameters_arrive",
        "finding_imports_nothing", "images_reach_the_engine", "leaving_a_build_stops_it",
        "leaving_a_pull_stops_it",
        "lets_go", "pull_progress_only_grows", "pulled_models_are_listed",
        "reasoning_is_apart", "refusals_come_before_frames", "removed_models_are_gone",
        "stop_strings_end_an_answer", "too_long_prompts_are_refused", "tool_calls_join",
        "unbuildable_folders_are_refused",
        "unreachable_is_a_state", "unreachable_is_refused_with_a_fix",
    }  # fmt: skip
    assert all(one.said for one in report.outcomes.values() if one.state == "skipped")


def test_a_trial_that_cannot_be_set_up_certifies_nothing(tmp_path: Path) -> None:
    @trial(manifest.__name__, engine="real acme")
    async def absent(folder: Path) -> AsyncIterator[Subject]:
        raise Unavailable("Acme is not installed.", fix="Install it.")
        yield

    report = examined(tmp_path, trial=absent)
    assert report.problem is not None
    assert (report.problem["message"], report.problem["fix"]) == (
        "Acme is not installed.", "Install it.",
    )  # fmt: skip
    assert not report.certified
    lost = replace(LAWFUL, manifest="venom_nowhere.plugin")
    problem = examined(tmp_path, trial=lost).problem
    assert problem is not None
    assert "venom_nowhere" in problem["message"]


# -- what importing costs: plugins that are installed


@pytest.mark.parametrize(
    ("rule", "files", "word"),
    [
        ("finding_imports_nothing", {}, None),
        ("finding_imports_nothing", {"sitecustomize.py": "import {package}.plugin"}, "plugin"),
        ("loading_imports_the_manifest_only", {}, None),
        ("loading_imports_the_manifest_only",
         {"{package}/__init__.py": "import {package}.provider"}, "provider"),
        ("loading_imports_the_manifest_only", {"{package}/__init__.py": "import httpx"}, "httpx"),
        ("loading_imports_the_manifest_only",
         {"{package}/__init__.py": "import venom_core.chat"}, "venom_core.chat"),
        ("heavy_libraries_stay_out", {}, None),
        ("heavy_libraries_stay_out",
         {"torch.py": "", "{package}/provider.py": "import torch\n{provider}"}, "torch"),
    ],
    ids=["found", "found-early", "loaded", "loads-provider", "loads-library", "loads-core", "used",
         "uses-torch"],
)  # fmt: skip
def test_imports(
    rule: str, files: dict[str, str], word: str | None, site: Path, tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    package = "venom_" + request.node.callspec.id.replace("-", "_")
    name = package.removeprefix("venom_").replace("_", "-")
    install_plugin(site, name, distribution=package.replace("_", "-"))
    for path, text in files.items():
        place = site / path.replace("{package}", package)
        place.write_text(text.replace("{package}", package).replace("{provider}", PROVIDER))

    @trial(f"{package}.plugin", engine="none")
    async def installed(folder: Path) -> AsyncIterator[Subject]:
        yield Subject()

    outcome = examined(tmp_path, rule, trial=installed).outcomes[rule]
    assert outcome.state == ("passed" if word is None else "failed"), outcome
    assert (word or "") in (outcome.said or "")


def test_the_rules_that_the_core_keeps_are_tried_by_the_same_names() -> None:
    kept = {name: rule.promise for name, rule in law.RULES.items()}
    assert kept == {name: RULES[name].law for name in kept}
    assert all(RULES[name].docs == rule.docs for name, rule in law.RULES.items())


def test_a_rule_that_the_core_keeps_has_no_second_text() -> None:
    async def frames(case: object) -> None:
        """Say it in other words."""

    with pytest.raises(TypeError, match="frames is a rule that the core keeps too"):
        rules.rule()(frames)


@pytest.mark.parametrize("page", ["docs", "docs/pl"])
def test_each_rule_has_its_anchor_and_no_heading_is_left_over(page: str) -> None:
    text = (Path(__file__).parents[3] / page / "plugins" / "conformance.md").read_text()
    headings = set(re.findall(r"^### `(\w+)`$", text, re.MULTILINE))
    assert headings == set(RULES) | {"no_trial", "bad_trial"}
    for rule in RULES.values():
        assert rule.docs.endswith(f"/plugins/conformance#{rule.name}")
        assert rule.law.endswith(".")
        if page == "docs":
            assert f"### `{rule.name}`\n\n{rule.law.replace('``', '`')}\n" in text
