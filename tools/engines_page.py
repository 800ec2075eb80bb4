"""`python -m tools.engines_page`: write docs/engines.md and docs/pl/engines.md from the last
self-test of the engines, ``bench/results/selftest.json``.

``--check`` compares instead. What the self-test did not ask reads ``not run``.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tools import generated
from tools.projects import ROOT

RESULTS = ROOT / "bench" / "results" / "selftest.json"
TARGETS = {"en": ROOT / "docs" / "engines.md", "pl": ROOT / "docs" / "pl" / "engines.md"}
WORDS = Path(__file__).with_suffix(".toml")
#: Every engine that the product names, in the order of the columns.
ENGINES = ("ollama", "llamacpp", "onnx", "hf", "vllm")


def rendered(language: str) -> str:
    """Return the page."""
    words = tomllib.loads(WORDS.read_text(encoding="utf-8"))[language]
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    tables = {table["provider"]: table for table in found["tables"]}
    date = str(found["date"])[:10]
    lines = [words["head"], f"## {words['asked']}", ""]
    head = [words[name] for name in ("engine", "model", "version", "date")]
    lines += [_row(head), _row(["---"] * len(head))]
    for engine in ENGINES:
        table = tables.get(engine, {})
        ran = "rows" in table
        told = [table.get("model", ""), table.get("engine_version") or "", date]
        lines.append(_row([engine, *(told if ran else [words["not run"], "", ""])]))
    lines += [*_outcomes(tables, words), ""]
    return "\n".join(lines)


def _outcomes(tables: Mapping[str, Any], words: Mapping[str, str]) -> list[str]:
    known: dict[str, dict[tuple[str, str], str]] = {
        engine: {(row["group"], row["name"]): row["outcome"] for row in table.get("rows", ())}
        for engine, table in tables.items()
    }
    order = dict.fromkeys(cell for cells in known.values() for cell in cells)
    lines: list[str] = []
    group = ""
    for cell in order:
        if cell[0] != group:
            group = cell[0]
            title = words.get(group, group.capitalize())
            lines += ["", f"## {title}", "", _row([words["what"], *ENGINES])]
            lines.append(_row(["---"] * (len(ENGINES) + 1)))
        outcomes = [known.get(engine, {}).get(cell, "not run") for engine in ENGINES]
        lines.append(_row([words.get(cell[1], cell[1]), *(words.get(o, o) for o in outcomes)]))
    return lines


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main(arguments: list[str] | None = None) -> int:
    """Return 1 where ``--check`` finds a page stale."""
    stale = [
        generated.main("tools.engines_page", target, partial(rendered, language), arguments)
        for language, target in TARGETS.items()
    ]
    return int(any(stale))


if __name__ == "__main__":
    sys.exit(main())
