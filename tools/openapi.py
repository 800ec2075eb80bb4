"""`python -m tools.openapi`: write the API's description that the page's types are made from.

``--check`` compares instead: what is checked in must be what the application serves now.
"""

from __future__ import annotations

import functools
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools import generated
from tools.projects import ROOT
from venom_core.api.openapi import examples

TARGET = ROOT / "web" / "openapi.json"
_WRITE = "write the examples with: python -m tools.openapi_examples"
_NO_TYPE = ("description", "summary", "title", "example", "examples")


def main(arguments: list[str] | None = None) -> int:
    """Return 1 where ``--check`` finds the file stale, and where examples are missing, of no
    operation or not as it declares them."""
    document = _document()
    code = generated.main(
        "tools.openapi", TARGET, functools.partial(described, document), arguments, __doc__
    )
    recorded = examples.read()
    faults = [*without_example(document, recorded), *not_as_declared(recorded)]
    for fault in faults:
        print(fault)
    return code or int(bool(faults))


def without_example(document: dict[str, Any], recorded: examples.Examples) -> Iterator[str]:
    """Yield a sentence for each operation without an example, and for each of one that is gone."""
    there = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            there.add(operation["operationId"])
            if operation["operationId"] not in recorded["operations"]:
                yield (
                    f"{method.upper()} {path} has no example: add a call of "
                    f"{operation['operationId']} to tests/contract/api_v1/calls.py, then {_WRITE}"
                )
    for gone in sorted(set(recorded["operations"]) - there):
        yield (
            f"There is no operation {gone} any more: take its calls out of "
            f"tests/contract/api_v1/calls.py, then {_WRITE}"
        )


def not_as_declared(recorded: examples.Examples) -> Iterator[str]:
    """Yield a sentence for each thing in an example that its operation declares otherwise."""
    sys.path.insert(0, str(ROOT))
    from tests.declared_answers import undeclared
    from venom_core.api.openapi.declared import ANSWERS

    for operation, by_name in recorded["operations"].items():
        for example in by_name.values() if operation in ANSWERS else ():
            for fault in undeclared(operation, example):
                yield f"The example of {fault}: {_WRITE}"


def _document() -> dict[str, Any]:
    """Return the document as the application makes it."""
    from venom_core.api.app import create_app
    from venom_core.composition import Venom

    with tempfile.TemporaryDirectory(prefix="venom-openapi-") as home:
        return create_app(Venom.from_environment({"VENOM_HOME": str(Path(home))})).openapi()


def described(document: dict[str, Any]) -> str:
    """Return the document as it is checked in: without version, words and examples, on
    which no type depends."""
    bare = {**_without_words(document), "info": {"title": "Venom", "version": "0"}}
    return _lines(bare, 3) + "\n"


def _without_words(value: Any, named: bool = False) -> Any:
    """Return JSON without descriptions; ``named`` where keys are names that somebody chose."""
    if isinstance(value, list):
        return [_without_words(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _without_words(item, name in ("properties", "schemas", "paths"))
        for name, item in value.items()
        if named or name not in _NO_TYPE
    }


def _lines(value: Any, depth: int) -> str:
    """Return JSON with a line for each operation and each shape, so that a change is one line."""
    if depth == 0 or not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    items = (f"{json.dumps(name)}: {_lines(item, depth - 1)}" for name, item in value.items())
    return "{\n" + ",\n".join(items) + "\n}"


if __name__ == "__main__":
    sys.exit(main())
