"""The document describes every route, is what a generator can read, and costs a start nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.api.app import create_app
from venom_core.api.openapi import examples
from venom_core.api.openapi.declared import ANSWERS, answers
from venom_core.testing.staging import client_of

METHODS = {"get", "post", "delete"}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert method in METHODS
            yield f"{method.upper()} {path}", operation


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


@pytest.fixture
async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    response = await client.get("/openapi.json")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    found: dict[str, Any] = response.json()
    return found


def test_every_operation_says_what_it_answers(document: dict[str, Any]) -> None:
    empty = []
    for name, operation in operations(document):
        answer = operation["responses"][min(operation["responses"])]["content"]
        for kind, content in answer.items():
            shapes = content["schema"].get("anyOf", [content["schema"]])
            if kind == "application/json" and not all("$ref" in shape for shape in shapes):
                empty.append(f"{name}: {content['schema']}")
            if kind == "text/event-stream":
                assert content["x-events"], name
        assert answer, name
        assert operation["summary"] and operation["description"], name
        assert {"4XX", "5XX"} <= set(operation["responses"]), name
    assert empty == []


def test_no_shape_holds_everything(document: dict[str, Any]) -> None:
    """A shape of ours has its keys; ``Any`` in the place of a whole answer would say nothing."""
    for name, schema in document["components"]["schemas"].items():
        assert schema["type"] == "object", name
        if name != "NoData":
            assert schema.get("properties"), name


def test_operation_ids_are_unique_and_each_is_declared_once(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids)) > 50
    # It describes itself too; what else is declared would be a route that nobody can call.
    assert set(ids) == set(ANSWERS)


def test_both_surfaces_are_there(document: dict[str, Any]) -> None:
    names = dict(operations(document))
    assert {"POST /v1/chat/completions", "GET /v1/models/{model_id}", "GET /api/v1/models",
            "DELETE /api/v1/models/registry/{name}", "GET /readyz"} <= set(names)  # fmt: skip
    chat = names["POST /v1/chat/completions"]
    body = chat["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/ChatBody"}
    refused = chat["responses"]["4XX"]["content"]["application/json"]["schema"]
    assert refused == {"$ref": "#/components/schemas/OpenAIError"}
    events = chat["responses"]["200"]["content"]["text/event-stream"]["x-events"]
    assert events == {"": {"$ref": "#/components/schemas/ChatCompletionChunk"}}
    ours = names["GET /api/v1/models"]["responses"]["4XX"]["content"]["application/json"]
    assert ours["schema"] == {"$ref": "#/components/schemas/ApiError"}
    assert set(names["GET /readyz"]["responses"]) == {"200", "503", "4XX", "5XX"}


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    there = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "examples")
        for name in document["components"][kind]
    }
    found = set(references(document))
    assert found - there == set()
    assert "HTTPValidationError" not in json.dumps(document)


def test_states_are_enumerated(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert "degraded" in schemas["ProviderView"]["properties"]["status"]["enum"]
    assert "incompatible" in schemas["PluginView"]["properties"]["state"]["enum"]
    assert "paused" in schemas["OperationView"]["properties"]["status"]["enum"]


def test_scopes_are_said(document: dict[str, Any]) -> None:
    names = dict(operations(document))
    assert names["GET /api/v1/audit"]["x-scopes"] == ["admin"]
    assert names["POST /v1/embeddings"]["security"]
    for free in ("GET /healthz", "GET /openapi.json", "POST /api/v1/session"):
        assert "security" not in names[free], free


def test_parameters_of_a_path_are_declared(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        declared = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", name)), name


async def test_behind_a_proxy_it_names_the_path_there(make_venom: MakeVenom) -> None:
    venom = make_venom(VENOM_ROOT_PATH="/venom")
    venom.store.keys().create("team")
    async with client_of(venom) as client:
        for path in ("/openapi.json", "/venom/openapi.json"):
            found = (await client.get(path)).json()
            assert found["servers"] == [{"url": "/venom"}]
            assert "/api/v1/models" in found["paths"]
            assert found["externalDocs"] == {"url": "/venom/docs/api"}
        page = (await client.get("/venom/docs/openapi")).text
        assert 'href="/venom/openapi.json"' in page


async def test_it_is_made_when_it_is_asked_for(
    make_venom: MakeVenom, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    read = examples.read
    monkeypatch.setattr(examples, "read", lambda: reads.append("read") or read())
    app = create_app(make_venom())
    assert "_document" not in vars(app.api_description)
    assert reads == []
    first = app.openapi()
    assert reads == ["read"]
    assert app.openapi() is first


def test_a_stale_example_refuses_nobody() -> None:
    operation: dict[str, Any] = {
        "parameters": [{"name": "name", "in": "path"}, {"name": "limit", "in": "query"}],
        "responses": {"200": {"content": {"application/json": {}}}},
    }
    kept: dict[str, Any] = {
        "a": {"path": {"name": "m", "gone": "x"}, "query": {"limit": 3}, "body": {"gone": 1},
              "status": 200, "type": "application/json", "answer": {"b": 1}},
        "gone": {"status": 201, "type": "text/plain", "answer": "x"},
    }  # fmt: skip
    examples.put_into(operation, kept)
    assert [one["example"] for one in operation["parameters"]] == ["m", 3]
    content = operation["responses"]["200"]["content"]
    assert content == {"application/json": {"examples": {"a": {"value": {"b": 1}}}}}
    assert set(operation) == {"parameters", "responses"}


def test_two_operations_of_one_name_are_refused() -> None:
    async def healthz() -> None:
        """Another one."""

    with pytest.raises(ValueError, match="healthz"):
        answers(dict[str, str])(healthz)
