"""Catalogues over HTTP: the contract's keys, its limits and refusals, and sources that are not
there or fail; Hugging Face through its real client against a fake Hub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core._version import __version__
from venom_core.plugins.discovery import Found
from venom_core.sdk.provider import Model
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing import scripted
from venom_core.testing.deadlines import patience
from venom_core.testing.hub import FakeHub
from venom_core.testing.staging import SCRIPTED, client_of, venom_over

HUGGING_FACE = Found(
    id="hf", value="venom_hf.plugin", api="v1", distribution="venom-hf",
    version=__version__, origin="first_party",
)  # fmt: skip
ENTRY = {
    "provider",
    "model_name",
    "display_name",
    "size_gb",
    "runtime",
    "tags",
    "downloads",
    "likes",
}
HEADER = b'{"w": {"dtype": "U8", "shape": [9], "data_offsets": [0, 9]}}'
WEIGHTS = len(HEADER).to_bytes(8, "little") + HEADER + b"x" * 9
FILES = {"config.json": b"{}", "model.safetensors": WEIGHTS}


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        hub.add("org/gemma", FILES, tags=["safetensors"], downloads=5, likes=2, trendingScore=3)
        hub.add("org/other", FILES, tags=["gguf"], downloads=9, trendingScore=1)
        hub.feed = (
            "<rss><channel><item><title>New models are ready.</title>"
            "<link>https://huggingface.co/blog/x</link><description>Words.</description>"
            "<pubDate>Tue, 03 Nov 2026 10:30:00 GMT</pubDate></item></channel></rss>"
        )
        yield hub


@pytest.fixture
async def client(hub: FakeHub, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    paths = Paths.at(tmp_path / "home")
    settings = Settings.load(paths, {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(tmp_path / "hf")})
    async with client_of(venom_over(settings, (SCRIPTED, HUGGING_FACE))) as client:
        yield client


async def get(client: httpx.AsyncClient, path: str, **headers: str) -> tuple[int, dict[str, Any]]:
    response = await client.get(f"/api/v1/models/{path}", headers=headers)
    return response.status_code, response.json()


async def test_search(client: httpx.AsyncClient) -> None:
    status, body = await get(client, "search?query=gemma")
    assert status == 200
    assert {"success", "provider", "query", "models", "count", "total", "page", "limit",
            "error"} <= set(body)  # fmt: skip
    assert (body["success"], body["provider"], body["query"]) == (True, "huggingface", "gemma")
    assert (body["count"], body["total"], body["page"], body["limit"]) == (1, 1, 1, 10)
    (entry,) = body["models"]
    assert set(entry) >= ENTRY
    assert (entry["provider"], entry["reference"], entry["likes"]) == ("hf", "hf://org/gemma", 2)


async def test_search_with_filters(client: httpx.AsyncClient) -> None:
    _, body = await get(client, "search?query=org&format=gguf&author=org&sort=downloads")
    assert [entry["model_name"] for entry in body["models"]] == ["org/other"]
    _, body = await get(client, "search?query=org&limit=1&page=2")
    assert (body["count"], body["page"]) == (1, 2)


async def test_trending(client: httpx.AsyncClient) -> None:
    status, body = await get(client, "trending")
    assert (status, body["success"], body["provider"], body["count"]) == (200, True, None, 2)
    assert [entry["model_name"] for entry in body["models"]] == ["org/gemma", "org/other"]
    assert set(body) >= {"models", "count", "stale", "error"}
    _, body = await get(client, "trending?provider=huggingface&limit=1")
    assert (body["provider"], body["count"]) == ("huggingface", 1)


async def test_providers(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = scripted.Script([], Model("m", "folder", frozenset({"chat"})))
    status, body = await get(client, "providers")
    assert (status, body["success"], body["stale"], body["error"]) == (200, True, False, None)
    assert {entry["provider"] for entry in body["models"]} == {"scripted", "hf"}
    assert all(set(entry) >= ENTRY for entry in body["models"])
    _, body = await get(client, "providers?provider=scripted")
    assert [(e["model_name"], e["installed"]) for e in body["models"]] == [("m", True)]


async def test_news(client: httpx.AsyncClient) -> None:
    status, body = await get(client, "news", **{"Accept-Language": "pl"})
    assert (status, body["success"], body["provider"], body["count"]) == (
        200,
        True,
        "huggingface",
        1,
    )
    (item,) = body["items"]
    assert set(item) == {"title", "url", "summary", "published_at", "authors", "source"}
    assert item["title"] == "New models are ready."  # other people's words stay as they are
    assert item["published_at"] == "2026-11-03T10:30:00Z"
    status, body = await get(client, "news?type=papers&month=2026-10&lang=de")
    assert (status, body["success"], body["items"]) == (200, True, [])


@pytest.mark.parametrize(
    ("path", "status", "param"),
    [
        ("search", 422, "query"),
        ("search?query=x", 422, "query"),
        ("search?query=xx&limit=201", 422, "limit"),
        ("search?query=xx&page=0", 422, "page"),
        ("search?query=xx&format=pickle", 422, "format"),
        ("search?query=xx&provider=nobody", 400, "provider"),
        ("search?query=xx&provider=scripted", 400, "provider"),
        ("trending?limit=0", 422, "limit"),
        ("trending?provider=nobody", 400, "provider"),
        ("providers?limit=201", 422, "limit"),
        ("providers?provider=nobody", 400, "provider"),
        ("news?provider=nobody", 400, "provider"),
        ("news?lang=fr", 400, "lang"),
        ("news?month=2026-13", 400, "month"),
        ("news?month=2026-12%0A", 400, "month"),
        ("news?type=gossip", 400, "type"),
        ("news?limit=201", 422, "limit"),
    ],
)
async def test_bad_questions(client: httpx.AsyncClient, path: str, status: int, param: str) -> None:
    answered, body = await get(client, path)
    assert (answered, body["param"]) == (status, param), body
    assert body["detail"] and body["code"] and body["docs"]


LIGHT = ("search?query=gemma", "news", "trending", "trending?provider=huggingface",
         "providers?provider=huggingface")  # fmt: skip


@pytest.mark.parametrize("path", LIGHT)
async def test_without_the_plugin(make_venom: MakeVenom, path: str) -> None:
    async with client_of(make_venom()) as client:
        status, body = await get(client, path)
        _, polish = await get(client, path, **{"Accept-Language": "pl"})
    assert (status, body["success"], body["stale"], body["count"]) == (200, False, True, 0)
    assert (body["code"], body["fix"]) == ("provider_missing", "venom plugins install hf")
    assert body["error"] == "The provider huggingface is not installed."
    assert polish["error"] == "Dostawca huggingface nie jest zainstalowany."
    assert body["docs"] == "/docs/errors#provider_missing"


async def test_a_dead_source_is_stale_and_asked_once(
    hub: FakeHub, client: httpx.AsyncClient
) -> None:
    _, good = await get(client, "search?query=gemma")
    hub.statuses["/api/"] = hub.statuses["/blog/"] = 503
    for path in ("trending", "trending?provider=hf", "news", "search?query=other"):
        status, body = await get(client, path)
        assert (status, body["success"], body["stale"], body["code"]) == (
            200, False, True, "upstream_error",
        ), path  # fmt: skip
    # What was good is fresh for half an hour; the rest of the listing is not touched.
    assert (await get(client, "search?query=gemma"))[1] == good
    scripted.SCRIPTS["m"] = scripted.Script([])
    status, body = await get(client, "providers")
    assert (body["success"], body["stale"], body["count"]) == (True, True, 1)
    # Asked again at once, the same is said without another question.
    asked = len(hub.seen)
    for path in ("trending", "news"):
        await get(client, path)
    assert len(hub.seen) == asked


async def test_static_paths_hide_no_model(client: httpx.AsyncClient) -> None:
    """A model that is called like a listing is reached by its reference."""
    scripted.SCRIPTS["news"] = scripted.Script([], Model("news", "folder"))
    async with asyncio.timeout(patience(5)):
        assert (await get(client, "news"))[1]["items"]
        _, body = await get(client, "scripted://news/details")
    assert body["model"]["name"] == "news"


async def test_what_is_found_can_be_installed_and_removed(
    hub: FakeHub, client: httpx.AsyncClient
) -> None:
    """From the catalogue to the disk and back, by the names that the catalogue gave."""
    (entry,) = (await get(client, "search?query=gemma"))[1]["models"]
    body = {"name": entry["model_name"], "provider": "huggingface"}
    begun = (await client.post("/api/v1/models/registry/install", json=body)).json()
    done = await ended(client, begun["operation_id"])
    total = sum(map(len, FILES.values()))
    assert (done["status"], done["progress"], done["bytes_done"]) == ("completed", 100, total)
    (model,) = (await client.get("/api/v1/models")).json()["models"]
    assert (model["reference"], model["type"], model["path"]) == ("hf://org/gemma", "folder", None)
    # A source keeps it and nothing serves it: it is no model for a client of /v1.
    assert (await client.get("/v1/models")).json()["data"] == []
    body = {"model": "hf://org/gemma", "messages": [{"role": "user", "content": "hi"}]}
    refused = await client.post("/v1/chat/completions", json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "model_not_capable")
    begun = (await client.delete("/api/v1/models/registry/hf://org/gemma")).json()
    assert (await ended(client, begun["operation_id"]))["status"] == "completed"
    assert (await client.get("/api/v1/models")).json()["models"] == []


async def test_what_cannot_be_installed_says_why(hub: FakeHub, client: httpx.AsyncClient) -> None:
    hub.add("org/pickled", {"pytorch_model.bin": b"x"})
    hub.add("org/secret", FILES, gated="manual")
    body = {"name": "org/pickled", "provider": "huggingface"}
    refused = await client.post("/api/v1/models/registry/install", json=body)
    assert (refused.status_code, refused.json()["code"]) == (400, "unsafe_weights")
    body = {"name": "hf://org/secret"}
    begun = (await client.post("/api/v1/models/install", json=body)).json()
    failed = await ended(client, begun["operation_id"])
    assert (failed["status"], failed["code"]) == ("failed", "model_gated")


async def ended(client: httpx.AsyncClient, operation_id: str) -> dict[str, Any]:
    async with asyncio.timeout(patience(30)):
        while True:
            _, body = await get(client, f"operations/{operation_id}")
            if body["operation"]["completed_at"]:
                return body["operation"]  # type: ignore[no-any-return]
            await asyncio.sleep(0.05)


async def test_a_model_is_shown_before_it_is_fetched(
    hub: FakeHub, client: httpx.AsyncClient
) -> None:
    _, body = await get(client, "hf://org/gemma/details")
    assert (body["model"]["installed"], body["model"]["size_bytes"]) == (
        False, sum(map(len, FILES.values())),
    )  # fmt: skip
    _, body = await get(client, "hf://org/gemma/fit")
    assert body["verdict"] == "unknown"
