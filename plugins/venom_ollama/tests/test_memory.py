"""The numbers for the fit check, read off what a real Ollama said of a model."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venom_core.sdk.graphics import Card
from venom_core.testing.ollama import load_records
from venom_ollama import graphics
from venom_ollama.memory import memory_plan, numbers_of
from venom_ollama.models import listed

RECORDS = load_records()


def shown() -> dict[str, Any]:
    return dict(json.loads(RECORDS["140_show"].answer.body))


def test_real_details_give_the_numbers_of_gemma() -> None:
    found = numbers_of(shown(), 253_113_024)
    assert found is not None
    numbers = found.architecture
    assert (numbers.layers, numbers.window, numbers.vocabulary) == (18, 512, 262_144)
    assert numbers.windowed.count(False) == 3
    assert numbers.weights_bytes == 246_587_904  # the file's tensors, without its header
    assert found.copies_bytes == 262_144 * 640 * 34 // 32


def test_a_listing_has_them_once_they_are_known() -> None:
    item = {"name": "gemma3:270m", "size": 253_113_024}
    numbers = numbers_of(shown(), 253_113_024)
    model = listed(item, {**shown(), "numbers": numbers}, None, 8192)
    assert model.architecture is not None and model.memory_plan is not None
    assert model.memory_plan.context_length == 8192
    assert listed(item, None, None).architecture is None


def test_without_the_tensors_the_size_of_the_files_stands_for_the_weights() -> None:
    details = shown()
    del details["tensors"]
    found = numbers_of(details, 253_113_024)
    assert found is not None and found.architecture.weights_bytes == 253_113_024
    assert found.architecture.vocabulary is None and found.copies_bytes == 0


@pytest.mark.parametrize(
    "details", [{}, {"model_info": None}, {"model_info": {"general.architecture": 3}}]
)
def test_details_that_say_nothing_give_nothing(details: dict[str, Any]) -> None:
    assert numbers_of(details, 1) is None


def test_ollamas_default_context_is_assumed_where_none_is_named() -> None:
    found = numbers_of(shown(), None)
    assert found is not None
    assert memory_plan(found, None).context_length == 4096
    assert memory_plan(found, 512).context_length == 512


@pytest.mark.parametrize(
    ("bytes_", "tokens"),
    [(0, 4096), (23 * 2**30 - 1, 4096), (23 * 2**30, 32_768), (47 * 2**30, 262_144)],
)
async def test_the_context_by_the_memory_of_any_makers_cards(
    monkeypatch: pytest.MonkeyPatch, bytes_: int, tokens: int
) -> None:
    half = bytes_ // 2

    async def cards(seconds: float) -> tuple[Card, ...]:
        return (Card(None, None, half), Card(None, None, bytes_ - half), Card(1, 2, None))

    async def unified() -> int:
        return 0

    monkeypatch.setattr(graphics, "cards", cards)
    monkeypatch.setattr(graphics, "unified_bytes", unified)
    assert graphics.default_context(await graphics.graphics_memory()) == tokens


@pytest.mark.parametrize("fault", [OSError, TimeoutError, ValueError])
async def test_apples_memory_serves_where_there_is_no_card(
    monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    async def none(seconds: float) -> tuple[Card, ...]:
        return ()

    async def silent(seconds: float) -> tuple[Card, ...]:
        raise fault

    async def unified() -> int:
        return 48 * 2**30

    monkeypatch.setattr(graphics, "unified_bytes", unified)
    monkeypatch.setattr(graphics, "cards", none)
    assert await graphics.graphics_memory() == 48 * 2**30
    monkeypatch.setattr(graphics, "cards", silent)
    assert await graphics.graphics_memory() == 0


@pytest.mark.parametrize(
    "number", ["1" + "0" * 30, "-1", "0", str(2**63), "nan", "inf", '"12"', "true", "1e308", "[]"]
)
def test_parameters_of_a_model_that_cannot_be(number: str) -> None:
    told = {"parameters": f"num_ctx {number}\nnum_predict {number}\ntop_k 40"}
    model = listed({"name": "m", "size": number, "details": {"context_length": number}}, told, None)
    assert "num_ctx" not in model.details
    assert (model.size_bytes, model.context_length) == (None, None)
    assert model.defaults["top_k"] == 40


@pytest.mark.parametrize("value", [10**30, -1, 2**63, float("nan"), "12", True, None, []], ids=str)
@pytest.mark.parametrize("key", ["block_count", "context_length", "attention.head_count"])
def test_details_whose_numbers_cannot_be_estimate_nothing(key: str, value: Any) -> None:
    info = {**SHOWN["model_info"], f"gemma3.{key}": value}
    found = numbers_of({**SHOWN, "model_info": info}, 5)
    assert found is None or value in (None, [])


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
ROWS = st.fixed_dictionaries({"name": JSON, "type": JSON | st.just("F16"), "shape": JSON})


@given(tensors=JSON | st.lists(ROWS, max_size=3), size=st.none() | st.integers())
def test_any_list_of_tensors_ends_in_numbers_or_none(tensors: Any, size: int | None) -> None:
    numbers_of({**SHOWN, "tensors": tensors}, size)


SHOWN = shown()
