"""The API's description as a page: each operation and shape, in both languages, as text."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from venom_core.ui.docs import Docs
from venom_core.ui.reference import render

EVIL = "<script>alert(1)</script>"
DOCUMENT: dict[str, Any] = {
    "paths": {
        "/api/v1/things/{name}": {
            "post": {
                "operationId": "make_thing",
                "tags": ["things"],
                "summary": f"Make ``one`` {EVIL}.",
                "description": "Make `one` and say so.",
                "x-scopes": ["admin"],
                "parameters": [
                    {
                        "name": "name", "in": "path", "required": True, "example": EVIL,
                        "schema": {"type": "string"},
                    },
                    {
                        "name": "limit", "in": "query",
                        "schema": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
                    },
                ],
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {"$ref": "#/components/schemas/T"},
                            "examples": {"one": {"value": {"state": EVIL}}},
                        }
                    }
                },
                "responses": {
                    "200": {
                        "content": {
                            "text/event-stream": {
                                "schema": {"type": "string"},
                                "x-events": {"": {"$ref": "#/components/schemas/T"}},
                                "examples": {
                                    "one": {"summary": "So `it` begins.", "value": "data: {}\n\n"}
                                },
                            }
                        }
                    },
                    "4XX": {
                        "content": {
                            "application/json": {
                                "schema": {"$ref": "#/components/schemas/T"},
                                "examples": {"refused": {"$ref": "#/components/examples/T"}},
                            }
                        }
                    },
                },
            }
        }
    },
    "components": {
        "examples": {"T": {"summary": "404", "value": {"state": "refused"}}},
        "schemas": {
            "T": {
                "type": "object",
                "description": EVIL,
                "required": ["state"],
                "properties": {
                    "state": {"enum": ["ready", EVIL], "type": "string"},
                    "size": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                    "all": {"type": "array", "items": {"$ref": "#/components/schemas/T"}},
                    "by": {"type": "object", "additionalProperties": {"type": "string"}},
                    "what": {},
                },
            }
        }
    },
}  # fmt: skip


@pytest.mark.parametrize(("language", "word"), [("en", "required"), ("pl", "wymagane")])
def test_everything_of_the_document_is_shown(language: Any, word: str) -> None:
    title, body = render(DOCUMENT, language)
    assert title in body
    assert '<details id="make_thing">' in body and '<details id="T">' in body
    assert "<code>POST /api/v1/things/{name}</code>" in body
    assert "<code>admin</code>" in body
    assert "≥ 1, ≤ 9" in body and "<code>3</code>" in body
    assert "integer | null" in body and '[<a href="#T">T</a>]' in body
    assert "{string: string}" in body and "any" in body
    assert "<code>message</code>: " in body
    assert word in body
    assert "Make <code>one</code>" in body
    assert "<script>" not in body and body.count("&lt;script&gt;") == 5


@pytest.mark.parametrize(("language", "word"), [("en", "Example"), ("pl", "Przykład")])
def test_examples_are_shown_where_they_belong(language: Any, word: str) -> None:
    _, body = render(DOCUMENT, language)
    operation, shapes = body.split('<h2 id="shapes">')
    asked = html.escape(json.dumps({"state": EVIL}, indent=2))
    assert f"<p>{word}:</p><pre><code>{asked}</code></pre>" in operation
    assert f"<p>{word} (So <code>it</code> begins.):</p><pre><code>data: {{}}\n\n" in operation
    assert "refused" not in operation, "what operations share stands with its shape"
    refused = html.escape(json.dumps({"state": "refused"}, indent=2))
    assert f"<p>{word} (404):</p><pre><code>{refused}</code></pre>" in shapes


async def test_the_page_has_no_script_and_links_to_what_is_there() -> None:
    docs = Docs(reference=lambda language: render(DOCUMENT, language))
    transport = httpx.ASGITransport(docs)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        for path, other in (("/openapi", "/docs/pl/openapi"), ("/pl/openapi", "/docs/openapi")):
            page = await http.get(path)
            assert page.status_code == 200
            assert "default-src 'none'" in page.headers["content-security-policy"]
            assert f'href="{other}"' in page.text
            assert not re.search(r"<script| style=| on\w+=", page.text)
            ids = set(re.findall(r' id="([^"]+)"', page.text))
            assert set(re.findall(r'href="#([^"]+)"', page.text)) <= ids


async def test_without_a_document_there_is_no_such_page() -> None:
    transport = httpx.ASGITransport(Starlette(routes=[Mount("/docs", Docs())]))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        assert (await http.get("/docs/openapi")).status_code == 404
