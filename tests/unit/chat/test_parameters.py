from __future__ import annotations

from typing import Any

import pytest

from venom_core.chat.parameters import apply_policy, is_neutral, merge_defaults
from venom_core.sdk.errors import InvalidRequest, UnsupportedParameter

HONOURED = frozenset({"temperature", "max_tokens", "stop", "tools"})


def applied(body: dict[str, Any], policy: Any = "strict") -> tuple[dict[str, Any], tuple[str, ...]]:
    return apply_policy(body, HONOURED, policy, model="x://m")


@pytest.mark.parametrize(
    ("name", "value"),
    [("n", 2), ("logit_bias", {"1": 5}), ("seed", 1), ("frequency_penalty", 0.5),
     ("never_heard_of", True), ("logprobs", True), ("parallel_tool_calls", False),
     ("response_format", {"type": "json_object"})],
)  # fmt: skip
def test_what_cannot_be_honoured_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(UnsupportedParameter) as raised:
        applied({name: value})
    assert raised.value.param == name
    assert name in raised.value.message
    assert raised.value.fix
    kept, left_out = applied({name: value, "temperature": 0.5}, "warn")
    assert kept == {"temperature": 0.5}
    assert left_out == (name,)


@pytest.mark.parametrize(
    "body",
    [{"n": 1}, {"n": 1.0}, {"logit_bias": {}}, {"seed": None}, {"frequency_penalty": 0},
     {"presence_penalty": 0.0}, {"logprobs": False}, {"response_format": {"type": "text"}},
     {"user": "u", "metadata": {"a": "b"}, "store": True, "service_tier": "auto"},
     {"tool_choice": "none"}, {"tool_choice": "auto"}, {"tools": []}],
)  # fmt: skip
def test_what_asks_for_nothing_passes_and_is_not_sent(body: dict[str, Any]) -> None:
    assert applied(body) == ({}, ())


def test_true_is_not_one() -> None:
    assert not is_neutral("n", True)
    assert not is_neutral("frequency_penalty", False)


def test_zero_and_false_of_an_honoured_parameter_are_sent() -> None:
    assert applied({"temperature": 0})[0] == {"temperature": 0}


def test_tool_choice_reaches_a_provider_that_honours_it_only() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    with pytest.raises(UnsupportedParameter) as raised:
        applied({"tools": tools, "tool_choice": "required"})
    assert raised.value.param == "tool_choice"
    assert applied({"tools": tools, "tool_choice": "auto"})[0] == {"tools": tools}
    kept, _ = apply_policy(
        {"tools": tools, "tool_choice": "none"}, HONOURED | {"tool_choice"}, "strict", model="m"
    )
    assert kept["tool_choice"] == "none"
    with pytest.raises(InvalidRequest):
        applied({"tool_choice": "required"})


def test_the_newer_name_of_the_token_limit_wins_and_contradiction_is_refused() -> None:
    assert applied({"max_completion_tokens": 7})[0] == {"max_tokens": 7}
    assert applied({"max_completion_tokens": 7, "max_tokens": 7})[0] == {"max_tokens": 7}
    with pytest.raises(InvalidRequest, match="different"):
        applied({"max_completion_tokens": 7, "max_tokens": 8})


def test_the_request_wins_over_the_models_defaults_and_null_is_silence() -> None:
    body: dict[str, Any] = {"temperature": 0.9, "stop": None, "messages": []}
    origins = merge_defaults(body, {"temperature": 0, "stop": ["\n"], "max_tokens": 48})
    assert body == {"temperature": 0.9, "stop": ["\n"], "max_tokens": 48, "messages": []}
    assert origins == {"temperature": "request", "stop": "model", "max_tokens": "model"}
