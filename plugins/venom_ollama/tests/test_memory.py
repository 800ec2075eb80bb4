"""The numbers for the fit check, read off what a real Ollama said of a model."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venom_core.testing.ollama import load_records
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
