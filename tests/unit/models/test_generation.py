"""Parameters that may be set for a model, their bounds, and the three views of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venom_core.models.generation import GenerationConfig, checked, schema_of
from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.parameter_bounds import bounds_of_name
from venom_core.sdk.provider import Model

ALL = frozenset(
    {"temperature", "max_tokens", "top_p", "top_k", "repeat_penalty", "stop", "seed",
     "reasoning_effort"}
)  # fmt: skip


def model(ref: str = "m", **more: Any) -> Model:
    return Model(ref, "folder", **more)


def refusal(parameters: dict[str, Any], of: Model | None = None) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as raised:
        checked(schema_of(of or model(), ALL), parameters, model="x://m")
    assert raised.value.code == "invalid_parameters"
    return raised.value


def test_the_contracts_bounds_and_defaults() -> None:
    schema = {name: p.view() for name, p in schema_of(model(context_length=4096), ALL).items()}
    bounds = {name: (p.get("min"), p.get("max"), p["default"]) for name, p in schema.items()}
    assert bounds["temperature"] == (0, 2, 0.7)
    assert bounds["max_tokens"] == (1, 4096, 2048)
    assert bounds["top_p"] == (0, 1, 0.9)
    assert bounds["top_k"] == (1, 100, 40)
    assert bounds["repeat_penalty"] == (1, 2, 1.1)
    assert {p["type"] for p in schema.values()} == {"float", "int", "list"}
    assert json.dumps(schema)


def test_the_context_bounds_the_answer_and_no_context_no_bound() -> None:
    assert schema_of(model(context_length=512), ALL)["max_tokens"].view()["default"] == 512
    assert "max" not in schema_of(model(), ALL)["max_tokens"].view()
    message = refusal({"max_tokens": 513}, model(context_length=512)).message
    assert message == "max_tokens must be a whole number from 1 to 512, not 513."


@pytest.mark.parametrize(("ref", "highest"), [
    ("llama3:8b", 1.0), ("meta/Llama-3.2-1B", 1.0), ("llama2:7b", 2), ("gemma3:4b", 2),
])  # fmt: skip
def test_llama3_stays_cool(ref: str, highest: float) -> None:
    family = model(ref, parameter_bounds=bounds_of_name(ref))
    assert schema_of(family, ALL)["temperature"].view()["max"] == highest


def test_a_models_bounds_narrow_the_schemas_and_never_widen_them() -> None:
    narrow = model("m", parameter_bounds={"temperature": (0.8, 9.0), "unknown": (0, 1)})
    schema = schema_of(narrow, ALL)["temperature"].view()
    assert (schema["min"], schema["max"], schema["default"]) == (0.8, 2, 0.8)
    assert refusal({"temperature": 0.7}, narrow).code == "invalid_parameters"
    upside_down = model("m", parameter_bounds={"temperature": (1.5, 0.5)})
    assert schema_of(upside_down, ALL) == schema_of(model("m"), ALL)


def test_the_models_own_defaults_lie_over_the_schemas() -> None:
    own = model(
        "llama3",
        defaults={"temperature": 1.2, "stop": ["\n"]},
        parameter_bounds=bounds_of_name("llama3"),
    )
    schema = schema_of(own, ALL)
    assert schema["temperature"].view()["default"] == 1.2
    assert schema["temperature"].view()["max"] == 1.2, "its own value would be out of bounds"
    assert schema["stop"].view()["default"] == ["\n"]


def test_only_what_the_provider_honours_can_be_set() -> None:
    assert set(schema_of(model(), {"temperature", "logit_bias"})) == {"temperature"}
    assert "reasoning_effort" not in schema_of(model(), ALL)
    thinker = model(capabilities=frozenset({"chat", "thinking"}))
    assert schema_of(thinker, ALL)["reasoning_effort"].view()["type"] == "enum"
    assert "never_heard_of" in refusal({"never_heard_of": 1}).message


@pytest.mark.parametrize(("name", "value"), [
    ("temperature", float("nan")), ("temperature", float("inf")), ("temperature", -0.1),
    ("temperature", 2.1), ("temperature", "0.5"), ("temperature", True), ("temperature", [1]),
    ("top_k", 40.5), ("top_k", 0), ("top_k", 101), ("top_k", False), ("seed", -1),
    ("max_tokens", 0), ("max_tokens", float("inf")), ("stop", "x"), ("stop", [""]), ("stop", [1]),
    ("stop", []), ("stop", ["x"] * 17), ("seed", float("nan")),
])  # fmt: skip
def test_what_is_wrong_is_refused_with_a_sentence(name: str, value: Any) -> None:
    error = refusal({name: value})
    assert error.status == 400
    assert error.param == f"params.{name}"
    assert error.message.startswith(f"{name} must be ")


def test_each_wrong_parameter_has_its_own_sentence() -> None:
    message = refusal({"temperature": 3, "top_p": 0.5, "top_k": "many", "foo": 1}).message
    assert message == (
        "temperature must be a number from 0 to 2, not 3. "
        "top_k must be a whole number from 1 to 100, not 'many'. "
        "x://m takes no parameter 'foo'."
    )


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_whatever_is_given_is_stored_as_json_or_refused(value: Any) -> None:
    for name in ALL:
        try:
            kept = checked(schema_of(model(), ALL), {name: value}, model="m")
        except InvalidRequest:
            continue
        assert json.loads(json.dumps(kept, allow_nan=False)) == kept


def test_the_three_views() -> None:
    own = model(defaults={"temperature": 0.3, "stop": ["\n"]})
    config = GenerationConfig(schema_of(own, ALL), {"temperature": 0.9, "top_k": 5}, own.defaults)
    assert config.effective == {"temperature": 0.9, "stop": ["\n"], "top_k": 5}
    assert config.origins() == {"temperature": "override", "stop": "model", "top_k": "override"}
    assert config.shown["top_p"] == 0.9, "shown in the form"
    assert "top_p" not in config.effective, "and never sent"
    assert config.schema["temperature"].default == 0.3
