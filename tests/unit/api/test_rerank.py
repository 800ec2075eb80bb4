"""``POST /v1/rerank``: what it takes, how it answers, and what is counted."""

from __future__ import annotations

import math
from typing import Any

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.messages import MOST_DOCUMENTS, Reranked, RerankRequest
from venom_core.sdk.provider import Model
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, ScriptedProvider, answer
from venom_core.testing.staging import client_of

PATH = "/v1/rerank"
#: Scored by their lengths: the second is the most relevant.
DOCUMENTS = ["bb", "dddd", "ccc", "aaa"]
ASKED: dict[str, Any] = {"model": "m", "query": "four", "documents": DOCUMENTS}


@pytest.fixture(autouse=True)
def models() -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))


async def ranked(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    response = await client.post(PATH, json={**ASKED, **more})
    assert response.status_code == 200, response.text
    return response.json()  # type: ignore[no-any-return]


async def test_the_most_relevant_comes_first(client: httpx.AsyncClient) -> None:
    response = await client.post(PATH, json=ASKED)
    assert response.json() == {
        "object": "list",
        "model": "m",
        "results": [
            {"index": 1, "relevance_score": 4.0},
            {"index": 2, "relevance_score": 3.0},
            {"index": 3, "relevance_score": 3.0},
            {"index": 0, "relevance_score": 2.0},
        ],
        "usage": {"prompt_tokens": 4, "total_tokens": 4},
    }
    assert response.headers["Venom-Model"] == "scripted://m"
    (seen,) = scripted.SEEN.reranks
    assert (seen.query, seen.documents) == ("four", tuple(DOCUMENTS))


@pytest.mark.parametrize(
    ("top_n", "indices"),
    [(1, [1]), (2, [1, 2]), (4, [1, 2, 3, 0]), (100, [1, 2, 3, 0]), (None, [1, 2, 3, 0])],
)
async def test_top_n_bounds_the_results(
    client: httpx.AsyncClient, top_n: int | None, indices: list[int]
) -> None:
    found = await ranked(client, top_n=top_n)
    assert [one["index"] for one in found["results"]] == indices


@pytest.mark.parametrize(
    ("wanted", "shown"), [(True, {"text": "dddd"}), (False, None), (None, None)]
)
async def test_documents_come_back_where_they_are_wanted(
    client: httpx.AsyncClient, wanted: bool | None, shown: object
) -> None:
    documents = ["bb", {"text": "dddd"}]
    found = await ranked(client, documents=documents, return_documents=wanted)
    assert found["results"][0].get("document") == shown


async def test_an_empty_document_is_a_document(client: httpx.AsyncClient) -> None:
    found = await ranked(client, documents=["", "a"])
    assert [one["index"] for one in found["results"]] == [1, 0]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no query": ({"query": ...}, "query"),
    "an empty query": ({"query": ""}, "query"),
    "a list of queries": ({"query": ["a"]}, "query"),
    "no documents": ({"documents": ...}, "documents"),
    "an empty list": ({"documents": []}, "documents"),
    "one text": ({"documents": "a"}, "documents"),
    "a number": ({"documents": ["a", 1]}, "documents[1]"),
    "null": ({"documents": [None]}, "documents[0]"),
    "an object without a text": ({"documents": [{"title": "a"}]}, "documents[0]"),
    "too many": ({"documents": ["a"] * (MOST_DOCUMENTS + 1)}, "documents"),
    "top_n 0": ({"top_n": 0}, "top_n"),
    "top_n below 0": ({"top_n": -1}, "top_n"),
    "top_n as a text": ({"top_n": "1"}, "top_n"),
    "top_n as a fraction": ({"top_n": 1.5}, "top_n"),
    "return_documents as a number": ({"return_documents": 1}, "return_documents"),
    "no model": ({"model": ...}, "model"),
    "null for a model": ({"model": None}, "model"),
    "what nobody honours": ({"max_tokens_per_doc": 5}, "max_tokens_per_doc"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_wrong_is_named(client: httpx.AsyncClient, name: str) -> None:
    changed, param = WRONG[name]
    body = {key: value for key, value in {**ASKED, **changed}.items() if value is not ...}
    response = await client.post(PATH, json=body)
    error = response.json()["error"]
    assert response.status_code == 400, error
    assert (error["param"] or "").startswith(param), error
    assert not scripted.SEEN.reranks


async def test_as_many_documents_as_there_may_be(client: httpx.AsyncClient) -> None:
    found = await ranked(client, documents=["a"] * MOST_DOCUMENTS)
    assert [one["index"] for one in found["results"]] == list(range(MOST_DOCUMENTS))


async def test_under_warn_what_nobody_honours_is_named(make_venom: MakeVenom) -> None:
    async with client_of(make_venom(VENOM_PARAMETER_POLICY="warn")) as client:
        response = await client.post(PATH, json={**ASKED, "max_tokens_per_doc": 5, "user": "u"})
    assert response.status_code == 200
    assert response.headers["Venom-Ignored-Parameters"] == "max_tokens_per_doc"


async def test_a_model_that_does_not_rank_refuses(client: httpx.AsyncClient) -> None:
    model = Model("m", "folder", capabilities=frozenset({"chat", "embedding"}))
    scripted.SCRIPTS["m"] = Script(answer("x"), model)
    response = await client.post(PATH, json=ASKED)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (
        400, "model_not_capable", "model",
    )  # fmt: skip


@pytest.mark.parametrize(
    "scores", [(), (1.0, 2.0), (1.0, 2.0, 3.0, math.nan), (1.0, 2.0, 3.0, "4"), None]
)
async def test_scores_that_cannot_be_are_refused(
    client: httpx.AsyncClient, scores: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def rerank(self: Any, request: RerankRequest) -> Any:
        return None if scores is None else Reranked(scores, 1)

    monkeypatch.setattr(ScriptedProvider, "rerank", rerank)
    response = await client.post(PATH, json=ASKED)
    assert response.status_code == 502, response.text


async def test_every_end_is_counted(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.post(PATH, json=ASKED)
    await client.post(PATH, json={**ASKED, "top_n": 0})
    await client.post(PATH, json={**ASKED, "max_tokens_per_doc": 1})

    async def broken(self: Any, request: RerankRequest) -> Any:
        raise UpstreamError("It broke.")

    monkeypatch.setattr(ScriptedProvider, "rerank", broken)
    await client.post(PATH, json=ASKED)
    totals = (await client.get("/api/v1/usage/summary")).json()["totals"]
    assert (totals["requests"], totals["failed"], totals["prompt_tokens"]) == (2, 1, 4)
    assert totals["refused"] == 1
    assert totals["completion_tokens"] == 0
