"""Anything that the Hub says in place of a number or a date hides neither its row nor others."""

from __future__ import annotations

import json
import logging
import math
from typing import Any

import pytest

from plugins.venom_hf.tests.conftest import FILES, REPO, Opened, gguf
from venom_core.sdk import numbers
from venom_core.sdk.catalogue import SearchFilters
from venom_core.sdk.errors import InvalidRequest, ModelNotFound, UpstreamError
from venom_core.testing.hub import FakeHub
from venom_hf.hub_model import HubModel, moment
from venom_hf.news import _moment

HOSTILE: list[Any] = [
    10**30, -1, 2**63, math.nan, math.inf, "12", True, None, 1e308, [],
]  # fmt: skip
hostile = pytest.mark.parametrize("value", HOSTILE, ids=[repr(value)[:12] for value in HOSTILE])
NONE = SearchFilters()
DATE = "2026-11-01T12:00:00Z"


@pytest.fixture(autouse=True)
def nothing_said() -> None:
    numbers._said.clear()


@hostile
@pytest.mark.parametrize("field", ["downloads", "likes", "lastModified", "safetensors", "count"])
async def test_a_row_of_the_catalogue(
    hub: FakeHub, opened: Opened, caplog: pytest.LogCaptureFixture, field: str, value: Any
) -> None:
    facts: dict[str, Any] = {"downloads": 5, "likes": 6, "tags": ["safetensors"],
                             "safetensors": {"parameters": {"F16": 10}}}  # fmt: skip
    hub.add("org/whole", FILES, **facts)
    odd = {"safetensors": {"parameters": {"F16": 10, "I8": value}}} if field == "count" else {
        field: value}  # fmt: skip
    hub.add("org/odd", FILES, **{**facts, **odd})
    async with opened() as provider:
        with caplog.at_level(logging.WARNING):
            page = await provider.search("org", NONE, 10, 1)
    found = {entry.ref: entry for entry in page.entries}
    names = {"lastModified": "updated_at", "safetensors": "size_bytes", "count": "size_bytes"}
    good = {"downloads": 5, "likes": 6, "updated_at": DATE, "size_bytes": 20}
    for ref in ("org/whole", "org/odd"):
        told = {name: getattr(found[ref], name) for name in good}
        assert told == good | ({names.get(field, field): None} if ref == "org/odd" else {})
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == (0 if value is None or field == "safetensors" else 1), said


@hostile
async def test_the_size_of_a_file(hub: FakeHub, opened: Opened, value: Any) -> None:
    hub.add(REPO, {"a-Q4_K_M.gguf": gguf(), "a-Q8_0.gguf": gguf()}, downloads=value)
    whole = hub.info

    def info(*args: Any, **kwargs: Any) -> dict[str, Any]:
        told = whole(*args, **kwargs)
        for one in told["siblings"]:
            if "Q8_0" in one["rfilename"]:
                one["lfs"]["size"] = value
        return told

    hub.info = info  # type: ignore[method-assign]
    async with opened() as provider:
        card = await provider.card(f"{REPO}:Q4_K_M")
        assert [file.name for file in card.files] == ["a-Q4_K_M.gguf"]
        assert card.download_bytes == len(gguf())
        assert card.entry.downloads is None
        json.dumps(card.entry.downloads, allow_nan=False)
        with pytest.raises((ModelNotFound, InvalidRequest)):
            await provider.plan_pull(f"{REPO}:Q8_0")
        assert (await provider.plan_pull(f"{REPO}:Q4_K_M")).bytes_total == len(gguf())


@pytest.mark.parametrize("row", [*HOSTILE, {}, {"id": 5}, {"id": "", "downloads": 1}], ids=repr)
def test_a_row_that_names_no_model_is_none(row: Any) -> None:
    assert HubModel.of(row) is None


@hostile
async def test_a_listing_without_models_is_none(
    hub: FakeHub, opened: Opened, monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    monkeypatch.setattr(hub, "found", lambda query: [value, {"id": value}])
    async with opened() as provider:
        if isinstance(value, str):
            assert len((await provider.search("org", NONE, 10, 1)).entries) == 1
            return
        with pytest.raises(UpstreamError):
            await provider.search("org", NONE, 10, 1)


@hostile
async def test_one_odd_paper_hides_no_other(hub: FakeHub, opened: Opened, value: Any) -> None:
    paper = {"id": "2610.1", "title": "One", "summary": "s", "publishedAt": DATE, "authors": []}
    odd = {**paper, "id": "2610.2", "publishedAt": value, "authors": value, "summary": value}
    hub.papers = [{"paper": one, "publishedAt": "2026-10-01"} for one in (odd, paper)]
    async with opened() as provider:
        items = await provider.news("papers", "2026-10", "en", 5)
    assert [item.url.rpartition("/")[2] for item in items] == ["2610.2", "2610.1"]
    assert [item.published_at for item in items] == [None, DATE]


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "12"])
def test_a_moment_of_no_calendar_is_none(text: str) -> None:
    assert moment(text, "x") is None
    assert _moment("Fri, 31 Dec 9999 23:59:59 -2359") is None
