"""The Grafana dashboard asks for what a server that has answered really tells."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import promql_parser as promql
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.stage import stage
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer, say
from venom_core.testing.staging import SCRIPTED
from venom_core.testing.staging import stage as staged

__all__ = ["stage"]  # used by being here

DASHBOARD = Path(__file__).parents[3] / "docs" / "grafana" / "venom.json"
HI = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
Series = Mapping[str, set[str]]


def board() -> Any:
    return json.loads(DASHBOARD.read_text(encoding="utf-8"))


def queries() -> Iterator[tuple[str, str]]:
    """Yield the place and the text of every query: those of panels, and those of the choices."""
    for panel in board()["panels"]:
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", target["expr"]
    for choice in board()["templating"]["list"]:
        if choice["type"] == "query":
            inner = choice["definition"].removeprefix("label_values(").removesuffix(")")
            metric, _, label = inner.rpartition(", ")
            yield choice["name"], f"sum by ({label}) ({metric})"


def parsed(query: str) -> Any:
    """Parse a query as Prometheus gets it: Grafana has put in its variables."""
    query = query.replace("$__rate_interval", "5m")
    return promql.parse(query.replace("$provider", ".*").replace("$model", ".*"))


def asked(node: Any, by: frozenset[str] = frozenset()) -> Iterator[tuple[str, set[str]]]:
    """Yield each metric of a query with the labels that are used of it."""
    kind = type(node).__name__
    if kind == "VectorSelector":
        yield node.name, {*by, *(matcher.name for matcher in node.matchers.matchers)}
    elif kind == "MatrixSelector":
        yield from asked(node.vector_selector, by)
    elif kind == "AggregateExpr":
        labels = node.modifier.labels if node.modifier is not None else ()
        yield from asked(node.expr, by | frozenset(labels))
    elif kind == "BinaryExpr":
        yield from asked(node.lhs, by)
        yield from asked(node.rhs, by)
    elif kind == "Call":
        for argument in node.args:
            yield from asked(argument, by)
    elif kind in ("ParenExpr", "UnaryExpr"):
        yield from asked(node.expr, by)
    elif kind not in ("NumberLiteral", "StringLiteral"):
        raise AssertionError(f"a part of a query that the test does not know: {kind}")


@pytest.fixture
async def scrape(tmp_path: Path) -> tuple[Series, httpx.Response]:
    """Return sample name -> labels, of a server that has answered and refused, and its dashboard
    as it serves it."""
    async with staged(SCRIPTED, home=tmp_path) as there:
        scripted.SCRIPTS["m"] = Script(say("a", "b"))
        await there.client.post("/v1/chat/completions", json={**HI, "stream": True})
        scripted.SCRIPTS["m"] = Script(answer("x"))
        await there.client.post("/v1/chat/completions", json=HI)
        await there.client.post("/v1/chat/completions", json={**HI, "model": "nobody"})
        await asyncio.sleep(0)  # observers run off the request's path
        text = (await there.client.get("/metrics")).text
        board = await there.client.get("/docs/grafana/venom.json")
    series: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            series.setdefault(sample.name, set()).update(sample.labels)
    return series, board


@pytest.mark.parametrize(("place", "query"), list(queries()), ids=dict(queries()))
async def test_what_it_asks_for_is_there(
    scrape: tuple[Series, httpx.Response], place: str, query: str
) -> None:
    series, _ = scrape
    found = list(asked(parsed(query)))
    assert found, f"{place} asks for nothing"
    for metric, labels in found:
        assert metric in series, f"{place}: no {metric} in the scrape"
        assert labels <= series[metric], f"{place}: {metric} has no {labels - series[metric]}"


@pytest.mark.parametrize("place", [place for place, _ in queries()])
def test_a_counter_is_asked_for_its_rate(place: str) -> None:
    """A counter or a bucket as it stands says how long the server runs."""
    query = dict(queries())[place]
    if place in ("provider", "model"):
        return
    ranges = query.count("[$__rate_interval]")
    assert ranges == query.count("rate(") == len(list(asked(parsed(query))))


def test_it_shows_all_that_is_ours(scrape: tuple[Series, httpx.Response]) -> None:
    series, _ = scrape
    shown = {metric for _, query in queries() for metric, _ in asked(parsed(query))}
    ours = {name for name in series if name.startswith("venom_")}
    left = {name for name in ours - shown if not name.endswith(("_created", "_sum", "_count"))}
    assert left == set()


def test_a_server_gives_it(scrape: tuple[Series, httpx.Response]) -> None:
    _, served = scrape
    assert served.headers["content-type"] == "application/json"
    assert served.json() == board()


def test_its_panels_lie_beside_each_other() -> None:
    places = [panel["gridPos"] for panel in board()["panels"]]
    cells = [
        (x, y)
        for at in places
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in board()["panels"]}) == len(places)
    assert all(panel["title"] and panel["description"] for panel in board()["panels"])


def test_a_part_of_a_query_that_nobody_knows_is_none() -> None:
    with pytest.raises(AssertionError, match="SubqueryExpr"):
        list(asked(parsed("max_over_time(rate(x[5m])[1h:1m])")))
