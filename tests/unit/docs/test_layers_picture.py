"""The picture of the layers: drawn from the imports, stale where these are others."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import grimp
import pytest

from tools.audit.uses import CORE, graph_of
from tools.layers_picture import TARGETS, drawn, imported, layers
from tools.plugins import packages
from tools.projects import ROOT

NAMES = [name for entry in layers() for name in entry]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return graph_of(ROOT)


@pytest.mark.parametrize("language", TARGETS)
def test_it_is_current_and_a_picture(language: str, graph: grimp.ImportGraph) -> None:
    text = TARGETS[language].read_text("utf-8")
    assert drawn(language, graph) == text
    words = {one.text for one in ET.fromstring(text).iter("{http://www.w3.org/2000/svg}text")}
    assert set(NAMES) <= words


def test_another_import_is_another_picture() -> None:
    graph = grimp.ImportGraph()
    for name in (*(f"{CORE}.{name}" for name in NAMES), *packages(ROOT)):
        graph.add_module(name)
    graph.add_module(f"{CORE}.chat.service")
    graph.add_import(importer=f"{CORE}.chat.service", imported=f"{CORE}.models")
    graph.add_import(importer=f"{CORE}.chat.service", imported=f"{CORE}.chat")
    assert imported(graph, [f"{CORE}.chat"], NAMES) == {"models"}
    before = drawn("en", graph)
    graph.add_import(importer=f"{CORE}.chat", imported=f"{CORE}.sdk")
    assert drawn("en", graph).count("<circle") == before.count("<circle") + 1


def test_layers_import_what_stands_below_them(graph: grimp.ImportGraph) -> None:
    for number, name in enumerate(NAMES):
        assert imported(graph, [f"{CORE}.{name}"], NAMES) <= set(NAMES[number + 1 :])
