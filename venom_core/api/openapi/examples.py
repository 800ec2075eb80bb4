"""The examples of the document: requests and answers as they were recorded from the application.

They lie beside this module, written by a tool from a table of calls that the tests run; nothing is
read before the document is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired

from typing_extensions import TypedDict

FILE = Path(__file__).with_name("examples.json")


class Example(TypedDict):
    """A request and its answer; what the request does not have is not there."""

    summary: NotRequired[str]
    path: NotRequired[dict[str, str]]
    query: NotRequired[dict[str, str | int]]
    body: NotRequired[dict[str, Any]]
    status: int
    type: str
    answer: Any


class Refused(TypedDict):
    """A refusal as an example of its shape."""

    status: int
    answer: dict[str, Any]


class Examples(TypedDict):
    """Examples by operation id and name, and one refusal of each shape."""

    operations: dict[str, dict[str, Example]]
    refusals: dict[str, Refused]


def read() -> Examples:
    """Return the recorded examples."""
    found: Examples = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def put_into(operation: dict[str, Any], examples: Mapping[str, Example]) -> None:
    """Put the examples of an operation to its parameters, its body and its answers. What a stale
    one has beyond what is declared now is left out: a test finds it, and no reader is refused."""
    for name, example in examples.items():
        for parameter in operation.get("parameters", ()):
            values: Mapping[str, Any] = example.get(parameter["in"], {})  # type: ignore[assignment]
            if parameter["name"] in values:
                parameter.setdefault("example", values[parameter["name"]])
        summary = {"summary": example["summary"]} if "summary" in example else {}
        bodies = [(operation.get("requestBody", {}), "application/json", example.get("body"))]
        answers = operation["responses"].get(str(example["status"]), {})
        bodies.append((answers, example["type"], example["answer"]))
        for body, kind, value in bodies:
            content = body.get("content", {}).get(kind)
            if content is not None and value is not None:
                content.setdefault("examples", {})[name] = {**summary, "value": value}


def refusal_components(examples: Examples) -> dict[str, dict[str, Any]]:
    """Return the refusals as the document's shared examples, by their shape's name."""
    return {
        shape: {"summary": str(refused["status"]), "value": refused["answer"]}
        for shape, refused in examples["refusals"].items()
    }
