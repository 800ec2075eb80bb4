"""The JSON schema that the runtime keeps an answer to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.served_engine import Sampling
from venom_onnx.engine import schema_of


def wanted(response_format: Any) -> Any:
    found = schema_of(Sampling(more={"response_format": response_format}))
    return None if found is None else json.loads(found)


def of(schema: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}


@pytest.mark.parametrize("given", [None, {"type": "text"}])
def test_free_text_has_none(given: Any) -> None:
    assert wanted(given) is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (of({"type": "integer"}), {"type": "integer"}),
        ({"type": "json_object"}, {"type": "object"}),
        ({"type": "json_schema"}, {"type": "object"}),
    ],
)
def test_no_blanks_stand_between_the_words_of_json(given: Any, kept: Any) -> None:
    found = wanted(given)
    assert found.pop("x-guidance")["whitespace_flexible"] is False
    assert found == kept


def test_the_clients_own_word_about_blanks_wins() -> None:
    schema = {"type": "object", "x-guidance": {"whitespace_flexible": True}}
    assert wanted(of(schema)) == schema


def test_another_format_is_refused() -> None:
    with pytest.raises(InvalidRequest) as raised:
        wanted({"type": "xml"})
    assert raised.value.param == "response_format"
