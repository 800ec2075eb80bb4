"""`GET /api/v1/models/{name}/fit`: names, refusals, and what the answer holds."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from venom_core.sdk.architecture import Architecture, Measured, MemoryPlan
from venom_core.sdk.machine import Machine
from venom_core.sdk.memory_estimate import MemoryNeed, ggml_compute_bytes
from venom_core.sdk.provider import LoadedModel, Model
from venom_core.testing.scripted import SCRIPTS, Script, ScriptedProvider, say
from venom_core.usecases import fit as module

NUMBERS = Architecture(
    "llama", layers=30, heads=9, kv_heads=(3,) * 30, key_length=64, value_length=64,
    vocabulary=49_152, embedding_length=576, feed_forward=1536, weights_bytes=96_576_768,
    context_length=8192,
)  # fmt: skip
PLAN = MemoryPlan(
    "llama.cpp", context_length=4096, parallel=2, batch=1024, compute=ggml_compute_bytes,
    all_outputs=True, overhead_bytes=40_000_000, measured=Measured(0.02, 0.05, 28, "Real loads."),
)  # fmt: skip


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Set the free memory, for the test to change."""
    seen = {"free": 10_000_000_000}
    monkeypatch.setattr(
        module, "this_machine", lambda: Machine(16_000_000_000, seen["free"], 2, "a system")
    )
    return seen


def model(ref: str, **more: Any) -> Model:
    script = Script(say("x"), Model(ref, "gguf", **{"size_bytes": 98_000_000, **more}))
    SCRIPTS[ref] = script
    assert script.model is not None
    return script.model


def known(ref: str, **more: Any) -> Model:
    return model(ref, architecture=NUMBERS, memory_plan=PLAN, **more)


async def fit(client: httpx.AsyncClient, name: str, **query: Any) -> httpx.Response:
    return await client.get(f"/api/v1/models/{name}/fit", params=query)


async def test_the_answer_has_the_parts_and_says_what_it_assumes(client: httpx.AsyncClient) -> None:
    known("m")
    body = (await fit(client, "m")).json()
    assert body["success"] and body["verdict"] == "fits" and body["context_length"] == 4096
    parts = body["parts"]
    assert parts["weights"] == 96_576_768 and parts["kv_cache"] == 180 * 1024 * 1024
    assert body["needed_bytes"] == sum(parts.values()) > body["working_bytes"]
    assert body["largest_context_length"] == body["trained_context_length"] == 8192
    assert body["unknown"] == []
    assert body["message"].startswith("m fits: it needs ")
    assert body["engine"]["kv_type"] == "f16" and body["estimate_error"]["worst"] == 0.05
    assert all(set(line) == {"message"} for line in body["assumptions"])


async def test_a_context_changes_the_answer(
    client: httpx.AsyncClient, memory: dict[str, int]
) -> None:
    known("m")
    memory["free"] = 420_000_000
    verdicts = {
        context: (await fit(client, "m", context=context)).json()["verdict"]
        for context in (256, 4096, 8192)
    }
    assert verdicts == {256: "fits", 4096: "tight", 8192: "does_not_fit"}
    body = (await fit(client, "m", context=8192)).json()
    largest = body["largest_context_length"]
    assert f"With {largest} tokens it fits." in body["message"]
    client.headers["Accept-Language"] = "pl"
    said = (await fit(client, "m", context=8192)).json()["message"]
    assert said.startswith("m nie mieści się przy kontekście 8192 tokenów")
    assert said.endswith(f"Przy {largest} tokenach się mieści.")
    memory["free"] = 1_000_000
    said = (await fit(client, "m", context=8192)).json()["message"]
    assert said.endswith("Nie mieści się żaden kontekst.")


@pytest.mark.parametrize("name", ["a/b", "a:b", "org/model@rev", "registry/x", "x/config", "x/fit"])
async def test_names_of_every_shape_are_found(client: httpx.AsyncClient, name: str) -> None:
    known(name)
    for path in (name, quote(name, safe=""), f"scripted://{name}"):
        answer = await fit(client, path)
        assert answer.status_code == 200, path
        assert answer.json()["model_name"] == name


async def test_a_model_that_is_offered_is_judged_before_it_is_fetched(
    client: httpx.AsyncClient,
) -> None:
    known("later", installed=False)
    body = (await fit(client, "later")).json()
    assert (body["verdict"], body["installed"]) == ("fits", False)


@pytest.mark.parametrize("name", ["nothing", "no/such", "scripted://nothing"])
async def test_a_model_that_nobody_knows_is_404(client: httpx.AsyncClient, name: str) -> None:
    answer = await fit(client, name)
    assert answer.status_code == 404 and answer.json()["code"] == "model_not_found"


@pytest.mark.parametrize("context", ["0", "-1", "many", "1.5", str(2**40), "8193"])
async def test_a_context_that_cannot_be_is_422(client: httpx.AsyncClient, context: str) -> None:
    known("m")
    answer = await fit(client, "m", context=context)
    assert answer.status_code == 422 and answer.json()["param"] == "context"


async def test_without_numbers_only_what_is_certain_is_said(
    client: httpx.AsyncClient, memory: dict[str, int]
) -> None:
    model("bare")
    body = (await fit(client, "bare")).json()
    assert (body["verdict"], body["unknown"]) == ("unknown", ["architecture"])
    assert body["parts"] is None and body["largest_context_length"] is None
    memory["free"] = 97_000_000
    assert (await fit(client, "bare")).json()["verdict"] == "does_not_fit"


async def test_a_source_tells_weights_and_cache_for_any_engine(client: httpx.AsyncClient) -> None:
    model("folder", architecture=NUMBERS)
    body = (await fit(client, "folder")).json()
    assert body["verdict"] == "fits" and body["context_length"] == 8192
    assert (body["parts"]["compute"], body["parts"]["overhead"]) == (None, None)
    assert body["needed_bytes"] == 96_576_768 + 180 * 1024 * 1024  # one request of 8192 tokens
    assert body["estimate_error"] is None
    polish = await client.get("/api/v1/models/folder/fit", headers={"Accept-Language": "pl"})
    assert "dowolny silnik" in polish.json()["assumptions"][0]["message"]


async def test_a_missing_number_is_named(client: httpx.AsyncClient) -> None:
    model("half", architecture=Architecture("llama", layers=3), memory_plan=PLAN)
    body = (await fit(client, "half")).json()
    assert body["verdict"] == "unknown" and "kv_heads" in body["unknown"]
    assert "nothing tells its weights_bytes, kv_heads" in body["message"]


async def test_the_answer_is_polish_where_it_is_asked_for(client: httpx.AsyncClient) -> None:
    known("m")
    answer = await client.get("/api/v1/models/m/fit", headers={"Accept-Language": "pl"})
    body = answer.json()
    assert body["message"].startswith("m mieści się: potrzebuje ")
    assert body["assumptions"][0]["message"].startswith("Policzono (llama.cpp): 2 x 4096")


async def test_what_a_loaded_model_holds_counts_as_free(
    client: httpx.AsyncClient, memory: dict[str, int]
) -> None:
    known("m")
    body = (await fit(client, "m")).json()
    assert body["loaded_bytes"] == 1000  # what the scripted provider says of every model it has
    assert body["free_bytes"] == memory["free"] + 1000


async def test_many_may_ask_at_once(client: httpx.AsyncClient) -> None:
    known("m")
    answers = await asyncio.gather(*(fit(client, "m", context=256 + n) for n in range(20)))
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize(
    ("free", "verdict", "words"),
    [
        (5_000_000_000, "fits", "big fits: its provider expects 4.00 GB, and 5.00 GB are free."),
        (4_000_000_000, "tight", "big is tight: its provider expects 4.00 GB"),
        (3_999_000_000, "does_not_fit", "big does not fit: its provider expects 4.00 GB"),
    ],
)
async def test_a_provider_that_estimates_itself_is_asked(
    client: httpx.AsyncClient,
    memory: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
    free: int,
    verdict: str,
    words: str,
) -> None:
    asked: list[tuple[str, int | None]] = []

    async def estimate(self: object, ref: str, context: int | None = None) -> MemoryNeed:
        asked.append((ref, context))
        return MemoryNeed(3_000_000_000, 1_000_000_000, None, None)

    async def nothing(self: object) -> list[LoadedModel]:
        return []

    monkeypatch.setattr(ScriptedProvider, "estimate", estimate)
    monkeypatch.setattr(ScriptedProvider, "ps", nothing)
    model("big", context_length=2048)
    memory["free"] = free
    body = (await fit(client, "big", context=512)).json()
    assert (body["verdict"], body["context_length"]) == (verdict, 512)
    assert body["message"].startswith(words)
    assert body["parts"]["weights"] == 3_000_000_000 and body["needed_bytes"] == 4_000_000_000
    assert asked == [("big", 512)]
