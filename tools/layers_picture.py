"""`python -m tools.layers_picture`: draw docs/images/layers.svg and its Polish from the imports.

The layers are those of import-linter's contract, and the dots are imports that the graph has; of
the plugins all that are in the checkout count as one.
``--check`` compares instead.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import grimp

from tools import generated
from tools.audit.uses import CORE, graph_of
from tools.plugins import packages as plugins
from tools.projects import ROOT

TARGETS = {
    "en": ROOT / "docs" / "images" / "layers.svg",
    "pl": ROOT / "docs" / "images" / "layers.pl.svg",
}
WORDS = Path(__file__).with_suffix(".toml")
#: Sizes of the drawing, in its own units.
WIDTH, EDGE, ROW, NAME, TEXT, CELL = 960, 24, 30, 120, 410, 26
_FONT = "font-family='system-ui, sans-serif' font-size='14' role='img'"
_INK, _SOFT, _LINE, _FILL, _MARK = "#1b1b1b", "#5a5a5a", "#c8c8c8", "#eef3fb", "#1c5bc0"


def layers(root: Path = ROOT) -> list[list[str]]:
    """Return the layers from the top to the bottom; those of one entry stand side by side."""
    table = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = table["tool"]["importlinter"]["contracts"]
    listed = next(one["layers"] for one in contracts if one["id"] == "layers")
    return [[name.strip() for name in entry.split("|")] for entry in listed]


def imported(graph: grimp.ImportGraph, packages: list[str], names: list[str]) -> set[str]:
    """Return the layers that some packages import, themselves left out."""
    return {
        layer
        for package in packages
        for module in {package, *graph.find_descendants(package)}
        for other in graph.find_modules_directly_imported_by(module)
        if other.startswith(f"{CORE}.") and not f"{other}.".startswith(f"{package}.")
        if (layer := other.split(".")[1]) in names
    }


def drawn(language: str, graph: grimp.ImportGraph, root: Path = ROOT) -> str:
    """Return the picture as SVG.

    Raises:
        KeyError: a layer has no words in ``layers_picture.toml``.
    """
    words = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    names = [name for entry in layers(root) for name in entry]
    height = EDGE * 2 + ROW * (len(names) + 6)
    rows = {name: imported(graph, [f"{CORE}.{name}"], names) for name in names}
    beside = {"plugin": imported(graph, plugins(root), names), "engine": set[str]()}
    lines = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' {_FONT}>",
        f"<title>{escape(words['title'][language])}</title>",
        f"<rect width='{WIDTH}' height='{height}' rx='8' fill='#ffffff'/>",
        *_columns(names),
        *_rows(language, words["layers"], rows, names, EDGE + ROW * 2),
        *_rows(language, words["beside"], beside, names, EDGE + ROW * 2 + ROW * len(names) + EDGE),
        _text(EDGE, height - EDGE, words["dot"][language], f"fill='{_SOFT}'"),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _columns(names: list[str]) -> Iterator[str]:
    """Write the layers over the columns of dots."""
    for column, name in enumerate(names):
        x, y = EDGE + NAME + TEXT + column * CELL + CELL // 2, EDGE + ROW * 2 - 8
        yield _text(x, y, name, f"fill='{_SOFT}' transform='rotate(-50 {x} {y})' font-size='12'")


def _rows(
    language: str,
    words: Mapping[str, Any],
    rows: Mapping[str, set[str]],
    names: list[str],
    top: int,
) -> Iterator[str]:
    """Draw a box for each row with its words, and a dot where it imports the layer of a column."""
    first = EDGE + NAME + TEXT
    for number, (name, found) in enumerate(rows.items()):
        y = top + number * ROW
        shown = words[name].get(f"name_{language}", name)
        yield (
            f"<rect x='{EDGE}' y='{y}' width='{NAME + TEXT - 12}' height='{ROW - 4}' rx='5'"
            f" fill='{_FILL}' stroke='{_LINE}'/>"
        )
        yield _text(EDGE + 10, y + 18, shown, f"font-weight='600' fill='{_INK}'")
        yield _text(EDGE + NAME, y + 18, words[name][language], f"fill='{_INK}'")
        yield (
            f"<line x1='{first}' y1='{y + 13}' x2='{first + len(names) * CELL}' y2='{y + 13}'"
            f" stroke='{_LINE}' stroke-dasharray='1 4'/>"
        )
        for column, other in enumerate(names):
            if other in found:
                x = first + column * CELL + CELL // 2
                yield f"<circle cx='{x}' cy='{y + 13}' r='5' fill='{_MARK}'/>"


def _text(x: int, y: int, text: str, attributes: str) -> str:
    return f"<text x='{x}' y='{y}' {attributes}>{escape(text)}</text>"


def main(arguments: list[str] | None = None) -> int:
    """Return 1 where ``--check`` finds a picture stale."""
    graph = graph_of(ROOT)
    codes = [
        generated.main("tools.layers_picture", target, partial(drawn, language, graph), arguments)
        for language, target in TARGETS.items()
    ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
