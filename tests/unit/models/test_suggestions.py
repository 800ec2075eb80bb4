"""Suggestions: each model once, from declarations and from lists, and no name in the core."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import venom_core
from venom_core.models.registry import ListedModel, Listing
from venom_core.models.suggestions import Suggestion, suggestions
from venom_core.sdk.provider import Model
from venom_core.sdk.spec import EngineRequirement, Proposal, ProviderSpec
from venom_core.sdk.states import Reason

CORE = Path(venom_core.__file__).parent


def spec(name: str, *proposals: str, **more: object) -> ProviderSpec:
    return ProviderSpec(
        name, name.title(), "A provider.", "m:C", frozenset(),
        proposals=tuple(Proposal(ref, ref.upper(), 10**9, "Good.") for ref in proposals),
        **more,  # type: ignore[arg-type]
    )  # fmt: skip


def offered(provider: str, ref: str, **more: object) -> ListedModel:
    fields = {"installed": False, "size_bytes": 5, **more}
    return ListedModel(provider, Model(ref, "folder", **fields))  # type: ignore[arg-type]


def suggested(
    listed: list[ListedModel],
    *specs: ProviderSpec,
    order: tuple[str, ...] = (),
    answering: tuple[str, ...] = ("a", "b"),
    stale: dict[str, Reason] | None = None,
) -> list[Suggestion]:
    known = {one.name: one for one in specs}
    return suggestions(Listing(tuple(listed), stale or {}), known, order, answering)


def test_what_a_provider_declares_and_lists_is_one_suggestion() -> None:
    found = suggested([offered("a", "m"), offered("a", "n")], spec("a", "m"))
    assert [(one.proposal.name, one.offered) for one in found] == [("m", False), ("n", True)]


def test_what_two_providers_propose_is_that_of_the_one_that_can_fetch_it() -> None:
    specs = spec("a", "m"), spec("b", "m")
    (one,) = suggested([], *specs, order=("b", "a"))
    assert (one.provider, one.available, one.reason) == ("b", True, None)
    (one,) = suggested([], *specs, order=("b", "a"), answering=("a",))
    assert (one.provider, one.available) == ("a", True)
    (one,) = suggested([], *specs, order=("b", "a"), answering=())
    assert (one.provider, one.available) == ("b", False)


def test_a_third_partys_proposal_shows_in_its_providers_order() -> None:
    found = suggested([], spec("theirs", "t"), spec("a", "m"), order=("a",), answering=("theirs",))
    assert [(one.proposal.name, one.available) for one in found] == [("m", False), ("t", True)]


def test_what_is_installed_by_whomever_is_not_proposed() -> None:
    here = offered("b", "m", installed=True)
    assert suggested([here, offered("a", "m")], spec("a", "m")) == []


ASK = "See what is missing with: venom doctor"


@pytest.mark.parametrize(
    ("declared", "stale", "reason"),
    [
        (spec("x", "m", needs="Needs a licence."), {}, "Needs a licence."),
        (
            spec("x", "m", engine=EngineRequirement("mod", "x")),
            {},
            "Needs X: venom plugins install x",
        ),
        (
            spec("x", "m"),
            {"x": Reason("down", "It is down.", "Up!")},
            "It is down. Up!",
        ),
        (spec("x", "m"), {"x": Reason("down", "It is down.")}, f"It is down. {ASK}"),
        (spec("x", "m"), {}, "X cannot be asked now."),
    ],
)
def test_what_cannot_be_fetched_now_says_what_it_needs(
    declared: ProviderSpec, stale: dict[str, Reason], reason: str
) -> None:
    (one,) = suggested([], declared, answering=(), stale=stale)
    assert one.reason == reason


#: Commands in a fix or in a help text are examples, and say so by their first word; so do
#: docstrings, which have several lines.
_EXAMPLE = re.compile(r"venom [a-z]+|ollama://|--model ")
_MODEL_NAME = re.compile(
    r"\b(gemma|llama|smollm|qwen|mistral|phi)[\w.-]*:[\w*]|hf\.co/\w", re.IGNORECASE
)


def _texts(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("layer", ["models", "settings", "usecases", "plugins", "api", "runtime"])
def test_the_core_names_no_models_of_providers(layer: str) -> None:
    named = [
        f"{path.name}: {text}"
        for path in (CORE / layer).rglob("*.py")
        if path.name != "profiles.py"  # their table is what the product is; the default model in it
        # is held to the plugin's own in tests/unit/settings/test_profiles.py
        for text in _texts(ast.parse(path.read_text(encoding="utf-8")))
        if "\n" not in text and _MODEL_NAME.search(text) and not _EXAMPLE.search(text)
    ]
    assert named == []
