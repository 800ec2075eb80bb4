"""The OpenAPI document: FastAPI's own description of requests, our declared answers in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from starlette.routing import Route

from venom_core.api.errors import (
    AnthropicError,
    ApiError,
    OllamaError,
    OpenAIError,
    refusal_shape,
)
from venom_core.api.openapi import examples
from venom_core.api.openapi.declared import ANSWERS, Answer, Shape
from venom_core.api.scopes import NOTHING, ROUTES, key_of
from venom_core.api.signins import COOKIE

SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
}
_REFERENCE = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
#: FastAPI's own refusal of a wrong request, which is answered as any other refusal is.
_NOT_ANSWERED = ("HTTPValidationError", "ValidationError")
_FIRST_SENTENCE = re.compile(r"(?<=\.) ")

Document = dict[str, Any]


class _Schemas(GenerateJsonSchema):
    """Schemas without a title for each field, which would repeat its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def document(app: FastAPI, root_path: str) -> Document:
    """Return the description of every route.

    Args:
        root_path: what stands before every path behind a proxy; "" for nothing.

    Raises ``KeyError`` for a route that declares no answer.
    """
    whole = get_openapi(
        title=app.title,
        version=app.version,
        routes=app.routes,
        servers=[{"url": root_path or "/"}],
    )
    whole["externalDocs"] = {"url": f"{root_path}/docs/api"}
    paths: dict[str, dict[str, Any]] = whole["paths"]
    for method, path, operation in _plain_operations(app.routes):
        paths.setdefault(path, {})[method] = operation
    shapes = _Shapes(
        ANSWERS[operation["operationId"]]
        for methods in paths.values()
        for operation in methods.values()
    )
    recorded = examples.read()
    for path, methods in paths.items():
        for method, operation in methods.items():
            _complete(operation, method.upper(), path, shapes)
            examples.put_into(operation, recorded["operations"].get(operation["operationId"], {}))
    requests = whole.get("components", {}).get("schemas", {})
    for name in _NOT_ANSWERED:
        requests.pop(name, None)
    if twice := sorted(set(requests) & set(shapes.definitions)):
        raise ValueError(f"request and answer have each a shape {', '.join(twice)}")
    schemas = dict(sorted({**requests, **shapes.definitions}.items()))
    whole["components"] = {
        "schemas": schemas,
        "examples": examples.refusal_components(recorded),
        "securitySchemes": SECURITY,
    }
    whole["paths"] = dict(sorted(paths.items()))
    return whole


def _plain_operations(routes: Sequence[Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield Starlette's own routes, which FastAPI does not describe: method, path, operation."""
    for route in routes:
        if type(route) is not Route or not route.include_in_schema:
            continue
        operation: dict[str, Any] = {"operationId": route.name}
        if names := _PARAMETER.findall(route.path):
            operation["parameters"] = [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in names
            ]
        for method in sorted((route.methods or set()) - {"HEAD"}):
            yield method.lower(), _PARAMETER.sub(r"{\1}", route.path), operation


class _Shapes:
    """The schemas of everything that is declared, each under its own name."""

    def __init__(self, declared: Iterator[Answer]) -> None:
        modes: dict[Shape, JsonSchemaMode] = {
            ApiError: "serialization",
            OpenAIError: "serialization",
            AnthropicError: "serialization",
            OllamaError: "serialization",
        }
        for answer in declared:
            for shape in (answer.json, *answer.events.values()):
                if shape is not None:
                    modes[shape] = "serialization"
            if answer.takes is not None:
                modes[answer.takes] = "validation"
        found, whole = TypeAdapter.json_schemas(
            [(shape, mode, TypeAdapter(shape)) for shape, mode in modes.items()],
            ref_template=_REFERENCE,
            schema_generator=_Schemas,
        )
        self._found = {shape: schema for (shape, _), schema in found.items()}
        self.definitions: Mapping[str, Any] = whole.get("$defs", {})

    def json(self, shape: Shape) -> dict[str, Any]:
        """Return the content of a JSON body."""
        return {"application/json": {"schema": self._found[shape]}}

    def content(self, answer: Answer) -> dict[str, Any]:
        """Return every form of an answer by its media type."""
        content = {} if answer.json is None else self.json(answer.json)
        if answer.text is not None:
            content[answer.text] = {"schema": {"type": "string"}}
        if answer.events:
            events = {name: self._found[shape] for name, shape in answer.events.items()}
            # OpenAPI 3.1 knows no events; what each one's data holds stands in an extension.
            content["text/event-stream"] = {"schema": {"type": "string"}, "x-events": events}
        return content


def _complete(operation: dict[str, Any], method: str, path: str, shapes: _Shapes) -> None:
    """Put answers, refusals, scopes, tag and words into an operation."""
    answer = ANSWERS[operation["operationId"]]
    shape = refusal_shape(path)
    shared = {"refused": {"$ref": f"#/components/examples/{shape.__name__}"}}
    content = {kind: {**one, "examples": shared} for kind, one in shapes.json(shape).items()}
    operation["responses"] = {
        **{
            str(status): {"description": "Done", "content": shapes.content(answer)}
            for status in answer.statuses
        },
        "4XX": {"description": "Refused", "content": content},
        "5XX": {"description": "Refused", "content": shapes.json(shape)},
    }
    if answer.takes is not None:
        operation["requestBody"] = {"required": True, "content": shapes.json(answer.takes)}
    scopes = ROUTES.get(key_of(method, path), NOTHING)
    if scopes:
        operation["security"] = [{name: []} for name in SECURITY]
        operation["x-scopes"] = sorted(scopes)
    operation["tags"] = [_tag(path)]
    operation["description"] = answer.doc
    operation["summary"] = _FIRST_SENTENCE.split(" ".join(answer.doc.split()), 1)[0]


def _tag(path: str) -> str:
    """Return the noun that a path is about."""
    first, *rest = path.strip("/").split("/")
    if first == "api":
        return rest[1] if rest[0] == "v1" else "ollama"
    return "openai" if first == "v1" else "server"
