"""The plugin of the page for authors, taken from it: certified, and answering through a Venom."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.docs.pages import DOCS, titled_blocks
from venom_core.testing import entry, stage
from venom_core.testing.conformance.examination import examine_here

PAGE = "plugins/authors.md"
QUESTION = [{"role": "user", "content": "War saw"}]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The files of the page, where Python finds them."""
    site = tmp_path / "site"
    for name, text in titled_blocks(DOCS / PAGE).items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text, encoding="utf-8")
    (site / "venom_parrot" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))  # the kit looks from an interpreter of its own
    importlib.invalidate_caches()
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "venom_parrot"]:
        del sys.modules[name]


def test_it_is_certified(package: None, tmp_path: Path) -> None:
    trial = importlib.import_module("venom_parrot.conformance").parrot
    report = examine_here(trial, tmp_path)
    states = {name: one.state for name, one in report.outcomes.items()}
    failed = {one.rule.name: one.said for one in report.failures()}
    assert (report.problem, failed, report.certified) == (None, {}, True)
    shown = (
        "both_modes_say_the_same",
        "max_tokens_ends_an_answer",
        "usage_is_counted",
        "too_long_prompts_are_refused",
        "embeddings_keep_the_order",
        "never_blocks",
    )
    assert {name: states[name] for name in shown} == dict.fromkeys(shown, "passed")


async def test_it_answers_through_venom(package: None, tmp_path: Path) -> None:
    async with stage(entry("venom_parrot.plugin"), home=tmp_path / "home") as venom:
        body = {"model": "green", "messages": QUESTION, "max_tokens": 1}
        answer = (await venom.client.post("/v1/chat/completions", json=body)).json()
        assert answer["choices"][0]["message"]["content"] == "War"
        assert answer["choices"][0]["finish_reason"] == "length"
        assert answer["usage"]["prompt_tokens"] == 2
        streamed = await venom.client.post("/v1/chat/completions", json={**body, "stream": True})
        *chunks, done = streamed.text.strip().split("\n\n")
        deltas = [json.loads(one.removeprefix("data: "))["choices"][0]["delta"] for one in chunks]
        assert done == "data: [DONE]"
        assert "".join(one.get("content") or "" for one in deltas) == "War"
        refused = await venom.client.post("/v1/chat/completions", json={**body, "seed": 1})
        assert refused.json()["error"]["code"] == "unsupported_parameter"


def test_the_polish_page_has_the_same_files() -> None:
    assert titled_blocks(DOCS / "pl" / PAGE) == titled_blocks(DOCS / PAGE)
