from __future__ import annotations

from typing import Any

import pytest

from venom_core.chat.parameters import (
    apply_policy,
    as_the_client_said,
    check_override,
    is_neutral,
    merge_generation,
)
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
    [{"n": 1}, {"n": 1.0},
     {"max_tokens": -1}, {"max_completion_tokens": -1}, {"logit_bias": {}}, {"seed": None},
     {"frequency_penalty": 0},
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


def merged(
    request: dict[str, Any], override: dict[str, Any], own: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    body, _ = apply_policy(request, HONOURED | {"presence_penalty"}, "strict", model="x://m")
    origins = merge_generation(body, request, override, own, {})
    return body, origins


def test_request_before_override_before_the_models_own_and_null_is_silence() -> None:
    body, origins = merged(
        {"temperature": 0.9, "stop": None, "messages": []},
        {"temperature": 0.1, "max_tokens": 7},
        {"temperature": 0, "stop": ["\n"], "max_tokens": 48},
    )
    assert body == {"temperature": 0.9, "stop": ["\n"], "max_tokens": 7, "messages": []}
    assert origins == {"temperature": "request", "stop": "model", "max_tokens": "override"}


def test_the_newer_name_of_the_token_limit_is_a_word_against_the_override() -> None:
    assert merged({"max_completion_tokens": 9}, {"max_tokens": 7}, {})[0] == {"max_tokens": 9}


def test_a_neutral_value_is_a_word_against_what_is_stored() -> None:
    """Zero asks for nothing; where the model would be given 1.5, it asks for zero."""
    for layers in (({"presence_penalty": 1.5}, {}), ({}, {"presence_penalty": 1.5})):
        body, origins = merged({"presence_penalty": 0}, *layers)
        assert body == {"presence_penalty": 0}
        assert origins == {"presence_penalty": "request"}
    # An engine may have a default of its own, of which nothing is known here.
    assert merged({"presence_penalty": 0}, {}, {}) == (
        {"presence_penalty": 0}, {"presence_penalty": "request"},
    )  # fmt: skip
    assert merged({}, {"presence_penalty": 0}, {"presence_penalty": 1.5})[0] == {
        "presence_penalty": 0
    }


def test_a_stored_parameter_that_is_honoured_no_more_is_told() -> None:
    stored = {"temperature": 0.1, "mirostat": 2}
    with pytest.raises(UnsupportedParameter) as raised:
        check_override(stored, HONOURED, "strict", model="x://m")
    assert raised.value.param == "mirostat"
    kept, left_out = check_override(stored, HONOURED, "warn", model="x://m")
    assert (kept, left_out) == ({"temperature": 0.1}, ("mirostat",))


def passed_on(body: dict[str, Any]) -> dict[str, Any]:
    return apply_policy(body, HONOURED, "strict", model="x://m", passes_on=True)[0]


@pytest.mark.parametrize(
    "body",
    [{"n": 1}, {"presence_penalty": 0}, {"frequency_penalty": 0.0}, {"logprobs": False},
     {"response_format": {"type": "text"}}, {"user": "u", "metadata": {"a": "b"}, "store": True},
     {"never_heard_of": {"deep": [1]}}, {"chat_template_kwargs": {"enable_thinking": False}},
     {"tools": [{"type": "function"}], "tool_choice": "auto"},
     {"tools": [{"type": "function"}], "tool_choice": "none"}],
)  # fmt: skip
def test_another_server_gets_the_words_of_the_client(body: dict[str, Any]) -> None:
    assert passed_on(body) == body


@pytest.mark.parametrize(
    "body",
    [{"max_tokens": -1}, {"seed": None}, {"tools": []}, {"stop": ""}, {"tool_choice": "auto"},
     {"tool_choice": "none"}, {"unheard": None}],
)  # fmt: skip
def test_what_is_no_word_at_all_goes_nowhere(body: dict[str, Any]) -> None:
    assert passed_on(body) == {}


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        ({"max_completion_tokens": 7}, "max_completion_tokens"),
        ({"max_tokens": 7}, "max_tokens"),
        ({"max_completion_tokens": 7, "max_tokens": 7}, "max_tokens"),
    ],
)
def test_the_bound_keeps_the_name_that_the_client_had(request_: dict[str, Any], name: str) -> None:
    body = passed_on(request_)
    origins = merge_generation(body, request_, {"temperature": 0.5}, {}, {})
    as_the_client_said(body, origins, request_)
    assert body == {name: 7, "temperature": 0.5}
    assert origins == {name: "request", "temperature": "override"}
