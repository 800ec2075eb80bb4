"""`python -m tools.light_page`: write docs/light.md and docs/pl/light.md from the results of the
benchmarks that light_page.toml names.

``--check`` compares instead. Where a result is not there, its figures read ``not run``.
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

RESULTS = ROOT / "bench" / "results"
TARGETS = {"en": ROOT / "docs" / "light.md", "pl": ROOT / "docs" / "pl" / "light.md"}
WORDS = Path(__file__).with_suffix(".toml")
#: The result whose machine the page names.
MAIN = "light"


def rendered(language: str, results: Path = RESULTS) -> str:
    """Return the page."""
    whole = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    words = whole[language]
    found = {row["file"]: _read(results / f"{row['file']}.json") for row in whole["rows"]}
    lines = [words["head"].strip(), "", _machine(found[MAIN], words), ""]
    lines += [_line(words["columns"]), _line(["---"] * len(words["columns"]))]
    lines += [_row(row, found[row["file"]], words, language) for row in whole["rows"]]
    return "\n".join(lines) + "\n"


def _read(path: Path) -> Mapping[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _machine(result: Mapping[str, Any], words: Mapping[str, Any]) -> str:
    if not result:
        return str(words["not run"])
    machine = result["machine"]
    told = words["machine"].format(
        date=result["date"][:10], commit=result["commit"][:7], cpu=machine["cpu"],
        cores=machine["cores"], memory=round(machine["memory_gb"]), python=machine["python"],
    )  # fmt: skip
    return f"{told} {words['dirty']}" if result["dirty"] else str(told)


def _row(
    row: Mapping[str, Any], result: Mapping[str, Any], words: Mapping[str, Any], language: str
) -> str:
    figures = {one["name"]: one for one in result.get("figures", ())}
    figure = figures.get(row["figure"])
    command = f"`{result.get('command') or 'python bench/run.py ' + row['file']}`"
    original = row.get("original")
    if figure is None and result:
        raise ValueError(f"{row['file']}.json has no figure {row['figure']!r}: see {WORDS.name}")
    if figure is None:
        older = "" if original is None else _number(original, "", language)
        return _line([row[language], "", words["not run"], "", older, command])
    of = row.get("of", "value")
    unit = "x" if of == "ratio" else figure["unit"]
    goal = next((one for one in figure["goals"] if one["goal"].startswith(of)), None)
    target = "" if goal is None else goal["goal"].removeprefix(of).strip().replace("<=", "≤")
    return _line([
        row[language],
        target and f"{target} {unit}".strip().replace(".", "," if language == "pl" else "."),
        _number(figure["median" if of == "value" else of], unit, language),
        "" if goal is None else words["met"][str(goal["met"]).lower()],
        "" if original is None else _number(original, unit, language),
        command,
    ])  # fmt: skip


def _number(value: float, unit: str, language: str) -> str:
    text = f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text.replace('.', ',') if language == 'pl' else text} {unit}".strip()


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |")


def main(arguments: list[str] | None = None) -> int:
    """Return 1 where ``--check`` finds a page stale."""
    stale = [
        generated.main("tools.light_page", target, partial(rendered, language), arguments)
        for language, target in TARGETS.items()
    ]
    return int(any(stale))


if __name__ == "__main__":
    sys.exit(main())
