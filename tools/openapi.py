"""`python -m tools.openapi`: write the API's description that the page's types are made from.

``--check`` compares instead: what is checked in must be what the application serves now.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools import generated
from tools.projects import ROOT

TARGET = ROOT / "web" / "openapi.json"


def main(arguments: list[str] | None = None) -> int:
    """Return 1 where ``--check`` finds the file stale."""
    return generated.main("tools.openapi", TARGET, described, arguments, __doc__)


def described() -> str:
    """Return the document as it is checked in: without version and words, on which no type
    depends."""
    from venom_core.api.app import create_app
    from venom_core.composition import Venom

    with tempfile.TemporaryDirectory(prefix="venom-openapi-") as home:
        document = create_app(Venom.from_environment({"VENOM_HOME": str(Path(home))})).openapi()
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
        if named or name not in ("description", "summary", "title")
    }


def _lines(value: Any, depth: int) -> str:
    """Return JSON with a line for each operation and each shape, so that a change is one line."""
    if depth == 0 or not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    items = (f"{json.dumps(name)}: {_lines(item, depth - 1)}" for name, item in value.items())
    return "{\n" + ",\n".join(items) + "\n}"


if __name__ == "__main__":
    sys.exit(main())
