"""The fit check against the sizes that a real Ollama 0.32.15 told of its loads (`/api/ps`)."""

from __future__ import annotations

import pytest

from venom_core.sdk.memory_estimate import needed
from venom_core.testing.ollama import current_records, load_records
from venom_ollama.graphics import default_context
from venom_ollama.memory import Numbers, memory_plan, numbers_of

GIB = 2**30
#: Record -> whether its model embeds.
LOADS = {
    "725_ps_sizes_gemma3": False,
    "725b_ps_sizes_smollm2": False,
    "725c_ps_sizes_embed": True,
    "467_ps": True,
}


def loads() -> list[tuple[str, str, int, int, bool]]:
    found = []
    for name, record in current_records().items():
        if (name.partition("#")[0] in LOADS) and record.path == "/api/ps":
            for model in record.answer.lines()[0]["models"]:
                embeds = LOADS[name.partition("#")[0]] and "embed" in model["name"]
                row = (name, model["name"], model["context_length"], model["size"], embeds)
                found.append(row)
    return found


def numbers(model: str) -> Numbers:
    shown = current_records()["902_show_jinja_tools"].answer
    if model.startswith("gemma3"):
        shown = load_records()["140_show"].answer
    found = numbers_of(shown.lines()[0], None)
    assert found is not None
    return found


def test_there_are_loads_to_compare_with() -> None:
    assert len(loads()) >= 10
    assert {embeds for *_, embeds in loads()} == {True, False}


@pytest.mark.parametrize("load", loads(), ids=lambda load: f"{load[1]} at {load[2]}")
def test_the_estimate_is_near(load: tuple[str, str, int, int, bool]) -> None:
    _, model, context, size, embeds = load
    found = numbers(model)
    plan = memory_plan(found, context, embeds=embeds, by_llama_server=True)
    assert needed(found.architecture, plan, context).total == pytest.approx(size, rel=0.11)


@pytest.mark.parametrize(
    ("memory", "tokens"),
    [(0, 4096), (23 * GIB - 1, 4096), (23 * GIB, 32_768), (47 * GIB - 1, 32_768),
     (47 * GIB, 262_144)],
)  # fmt: skip
def test_the_context_follows_the_graphics_memory(memory: int, tokens: int) -> None:
    assert default_context(memory) == tokens
