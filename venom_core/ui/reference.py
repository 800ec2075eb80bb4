"""An OpenAPI document as HTML, for a page without scripts: operations by tag, then the shapes."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from venom_core.ui.contents import Language

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "Every operation",
        "intro": "Made from the description for programs, {json}. In prose: {prose}.",
        "prose": "the API",
        "path": "path",
        "query": "query",
        "header": "header",
        "body": "Body",
        "parameters": "Parameters",
        "answer": "Answer",
        "event": "Event",
        "example": "Example",
        "such_as": "such as",
        "scopes": "Needs a key with one of the scopes",
        "no_key": "Needs no key",
        "required": "required",
        "shapes": "Shapes",
        "default": "default",
        "characters": "characters",
    },
    "pl": {
        "title": "Wszystkie operacje",
        "intro": "Zrobione z opisu dla programów, {json}. Opis dla ludzi: {prose}.",
        "prose": "API",
        "path": "ścieżka",
        "query": "zapytanie",
        "header": "nagłówek",
        "body": "Treść żądania",
        "parameters": "Parametry",
        "answer": "Odpowiedź",
        "event": "Zdarzenie",
        "example": "Przykład",
        "such_as": "na przykład",
        "scopes": "Wymaga klucza z jednym z zakresów",
        "no_key": "Nie wymaga klucza",
        "required": "wymagane",
        "shapes": "Struktury",
        "default": "domyślnie",
        "characters": "znaków",
    },
}
_BOUNDS = {
    "minimum": "≥ {}", "maximum": "≤ {}", "minItems": "≥ {}", "maxItems": "≤ {}", "pattern": "{}",
    "minLength": "≥ {} {characters}", "maxLength": "≤ {} {characters}",
}  # fmt: skip
_CODE = re.compile(r"(`+)(.+?)\1")
_METHODS = ("get", "post", "put", "patch", "delete")


def render(document: Mapping[str, Any], language: Language) -> tuple[str, str]:
    """Return the page's title and its body. Descriptions are the document's own, in English."""
    words = _WORDS[language]
    page = _Page(document, words, "/docs/pl/api" if language == "pl" else "/docs/api")
    return words["title"], "".join(page.parts())


class _Page:
    def __init__(self, document: Mapping[str, Any], words: Mapping[str, str], prose: str) -> None:
        self._document = document
        self._words = words
        self._prose = prose

    def parts(self) -> Iterator[str]:
        words = self._words
        yield f"<h1>{words['title']}</h1>"
        links = {
            "json": '<a href="/openapi.json"><code>/openapi.json</code></a>',
            "prose": f'<a href="{self._prose}">{words["prose"]}</a>',
        }
        yield f"<p>{words['intro'].format(**links)}</p>"
        tags: dict[str, list[str]] = {}
        for path, methods in self._document["paths"].items():
            for method in _METHODS:
                if operation := methods.get(method):
                    shown = "".join(self._operation(method.upper(), path, operation))
                    tags.setdefault(operation["tags"][0], []).append(shown)
        for tag, operations in sorted(tags.items()):
            yield f'<h2 id="{tag}">{html.escape(tag)}</h2>{"".join(operations)}'
        yield f'<h2 id="shapes">{words["shapes"]}</h2>'
        for name, schema in self._document["components"]["schemas"].items():
            yield from self._shape(name, schema)

    def _operation(self, method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
        words = self._words
        yield f'<details id="{operation["operationId"]}"><summary><code>{method} '
        yield f"{html.escape(path)}</code> {_text(operation['summary'])}</summary>"
        if operation["description"] != operation["summary"]:
            yield f"<p>{_text(operation['description'])}</p>"
        scopes = ", ".join(f"<code>{scope}</code>" for scope in operation.get("x-scopes", ()))
        yield f"<p>{words['scopes']}: {scopes}.</p>" if scopes else f"<p>{words['no_key']}.</p>"
        if parameters := operation.get("parameters"):
            rows = [
                (one["name"], one["schema"], one.get("required", False), self._note(one))
                for one in parameters
            ]
            yield f"<h4>{words['parameters']}</h4>{self._table(rows)}"
        if body := operation.get("requestBody"):
            yield f"<h4>{words['body']}</h4>{self._content(body)}"
        for status, answer in operation["responses"].items():
            if answer.get("content"):
                yield f"<h4>{words['answer']} {status}</h4>{self._content(answer)}"
        yield "</details>"

    def _content(self, one: Mapping[str, Any]) -> str:
        shown = []
        for kind, content in one["content"].items():
            events = content.get("x-events", {})
            lines = [
                f"{self._words['event']} <code>{html.escape(name or 'message')}</code>: "
                f"{_type(schema)}"
                for name, schema in events.items()
            ]
            whole = "" if events else f": {_type(content['schema'])}"
            shown += [f"<li><code>{html.escape(kind)}</code>{whole}</li>"]
            shown += [f"<li>{line}</li>" for line in lines]
        return f"<ul>{''.join(shown)}</ul>{''.join(self._examples(one))}"

    def _examples(self, one: Mapping[str, Any]) -> Iterator[str]:
        """Yield the examples of a body; those that operations share are with their shapes."""
        for content in one["content"].values():
            for example in content.get("examples", {}).values():
                if "$ref" not in example:
                    yield self._example(example)

    def _example(self, example: Mapping[str, Any]) -> str:
        value = example["value"]
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
        summary = f" ({_text(example['summary'])})" if "summary" in example else ""
        return (
            f"<p>{self._words['example']}{summary}:</p><pre><code>{html.escape(text)}</code></pre>"
        )

    def _note(self, parameter: Mapping[str, Any]) -> str:
        place = self._words[parameter["in"]]
        if "example" not in parameter:
            return place
        return f"{place}, {self._words['such_as']} {_value(parameter['example'])}"

    def _shape(self, name: str, schema: Mapping[str, Any]) -> Iterator[str]:
        yield f'<details id="{name}"><summary><code>{name}</code></summary>'
        if text := schema.get("description"):
            yield f"<p>{_text(text)}</p>"
        needed = schema.get("required", ())
        if properties := schema.get("properties"):
            rows = [(key, one, key in needed, "") for key, one in properties.items()]
            yield self._table(rows)
        if example := self._document["components"].get("examples", {}).get(name):
            yield self._example(example)
        yield "</details>"

    def _table(self, rows: list[tuple[str, Mapping[str, Any], bool, str]]) -> str:
        shown = []
        for name, schema, required, place in rows:
            notes = [
                place,
                self._words["required"] if required else "",
                *_bounds(schema, self._words),
            ]
            if schema.get("default") is not None:
                notes.append(f"{self._words['default']} {_value(schema['default'])}")
            note = ", ".join(filter(None, notes))
            shown.append(
                f"<tr><td><code>{html.escape(name)}</code></td><td>{_type(schema)}</td>"
                f"<td>{note}</td></tr>"
            )
        return f"<table>{''.join(shown)}</table>"


def _type(schema: Mapping[str, Any]) -> str:
    """Return the kind of a value, with a link where it is a shape of its own."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return " | ".join(dict.fromkeys(_type(option) for option in options))
    if "const" in schema:
        return _value(schema["const"])
    if "enum" in schema:
        return " | ".join(map(_value, schema["enum"]))
    if schema.get("type") == "array":
        return f"[{_type(schema.get('items', {}))}]"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"{{string: {_type(schema['additionalProperties'])}}}"
    return html.escape(str(schema.get("type", "any")))


def _bounds(schema: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[str]:
    for one in (schema, *schema.get("anyOf", ())):
        for name, form in _BOUNDS.items():
            if name in one:
                yield html.escape(form.format(one[name], characters=words["characters"]))


def _value(value: object) -> str:
    return f"<code>{html.escape(json.dumps(value, ensure_ascii=False))}</code>"


def _text(text: str) -> str:
    """Return a description as HTML: words in backquotes are code, everything else is text."""
    return _CODE.sub(r"<code>\2</code>", html.escape(" ".join(text.split())))
