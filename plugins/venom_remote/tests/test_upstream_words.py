"""An answer of a server: a word about itself or about one request, and how it reaches a client."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugins.venom_remote.tests.conftest import Opened, request
from venom_core.sdk.errors import (
    Forbidden,
    InvalidRequest,
    ModelLoading,
    ModelNotFound,
    PaymentRequired,
    RateLimited,
    Unavailable,
    UpstreamError,
    UpstreamGone,
    UpstreamTimeout,
    VenomError,
)
from venom_core.sdk.messages import EmbedRequest
from venom_core.sdk.states import ProviderStatus
from venom_core.testing.engine import Reply, ScriptedEngine, chunk, scripted_engine, sse
from venom_remote.provider import RemoteProvider

ANSWER = sse(chunk("a"), chunk(finish="stop"), "[DONE]")
DEAD = "http://127.0.0.1:9"
#: Seconds for a server that says nothing more.
SHORT = 0.2
WORDS = {"message": "temperature too hot", "param": "temperature", "code": "too_hot", "type": "t"}


def error(**words: Any) -> list[bytes]:
    return [json.dumps({"error": words}).encode()]


async def ask(provider: RemoteProvider, **options: Any) -> list[Any]:
    return [frame async for frame in provider.chat(request(**options))]


OF_THE_REQUEST: dict[str, Reply] = {
    **{f"{status} with words": Reply(error(message="no"), status)
       for status in (400, 401, 402, 403, 404, 405, 408, 409, 413, 418, 422, 429, 451, 500, 501)},
    **{f"{status} alone": Reply((), status) for status in (400, 401, 402, 403, 404, 429, 500)},
    "503 while it loads": Reply(error(message="Loading model"), 503),
    "503 with words": Reply(error(message="all slots are busy"), 503),
    "502 with words": Reply(error(message="the GPU fell off"), 502),
    "504 with words": Reply(error(message="took too long"), 504),
    "a redirect": Reply((), 302, headers={"location": DEAD}),
    "a page": Reply([b"<html>"]),
    "an odd event": Reply([b"data: {odd}\n\n"]),
    "an error with status 200": Reply(error(message="no")),
    "an error in the stream": Reply([*ANSWER[:1], b"data: " + error(message="no")[0] + b"\n\n"]),
    "an end without a finish": Reply(ANSWER[:1]),
}  # fmt: skip


@pytest.mark.parametrize("reply", OF_THE_REQUEST.values(), ids=OF_THE_REQUEST)
async def test_an_answer_to_one_request_leaves_nobody_out(opened: Opened, reply: Reply) -> None:
    async with scripted_engine() as one, scripted_engine() as two:
        two.models = ["other"]
        async with opened(one.url, two.url, retry_after=3600.0) as provider:
            one.reply = reply
            try:
                await ask(provider)
            except VenomError as refused:
                assert not isinstance(refused, UpstreamGone | UpstreamTimeout)  # noqa: PT017
            assert (await provider.health()).status is ProviderStatus.READY
            one.reply = Reply(ANSWER)
            assert await ask(provider)


OF_THE_SERVER: dict[str, Reply] = {
    **{f"{status} alone": Reply((), status) for status in (502, 503, 504)},
    **{f"{status} of a proxy": Reply([b"<html><h1>Bad Gateway</h1></html>"], status)
       for status in (502, 503, 504)},
    **{f"{status} in a proxy's words": Reply([b"no healthy upstream"], status)
       for status in (502, 503, 504)},
    "closes": Reply((), fault="eof"),
    "breaks off": Reply(ANSWER[:1], fault="reset"),
    "is silent": Reply(ANSWER[:1], fault="stall"),
}  # fmt: skip


@pytest.mark.parametrize("reply", OF_THE_SERVER.values(), ids=OF_THE_SERVER)
async def test_a_server_that_is_away_is_left_out_where_there_is_another(
    opened: Opened, reply: Reply
) -> None:
    async with scripted_engine() as one, scripted_engine() as two:
        one.reply, two.reply = reply, Reply(ANSWER)
        async with opened(one.url, two.url, retry_after=3600.0) as provider:
            with pytest.raises(VenomError):
                await ask(provider, timeout=SHORT if reply.fault == "stall" else 5.0)
            assert (await provider.health()).status is ProviderStatus.DEGRADED
            for _ in range(2):
                assert await ask(provider)
            assert len(one.requests) == 2, "its models, and one question"


@pytest.mark.parametrize("reply", OF_THE_SERVER.values(), ids=OF_THE_SERVER)
async def test_one_server_alone_is_tried_whatever_became_of_it(
    opened: Opened, reply: Reply
) -> None:
    async with scripted_engine() as one, opened(one.url, retry_after=3600.0) as provider:
        one.reply = reply
        with pytest.raises(VenomError):
            await ask(provider, timeout=SHORT if reply.fault == "stall" else 5.0)
        one.reply = Reply(ANSWER)
        assert await ask(provider)
        assert [model.ref for model in await provider.models()] == ["m"]
        assert (await provider.health()).status is ProviderStatus.READY


async def test_one_server_that_was_not_reached_is_tried(opened: Opened) -> None:
    async with scripted_engine() as one:
        one.reply = Reply(ANSWER)
        async with opened(one.url, retry_after=3600.0) as provider:
            node = provider._nodes[0]
            node.url = DEAD
            with pytest.raises(Unavailable):
                await ask(provider)
            with pytest.raises(Unavailable) as raised:
                await provider.models()
            assert raised.value.code == "servers_down"
            node.url = one.url
            assert await ask(provider)


SAID: dict[str, tuple[int, Any, type[VenomError], int, str, str]] = {
    "400": (400, WORDS, InvalidRequest, 400, "too_hot", "temperature too hot"),
    "413": (413, WORDS, InvalidRequest, 413, "too_hot", "temperature too hot"),
    "422": (422, WORDS, InvalidRequest, 422, "too_hot", "temperature too hot"),
    "409": (409, WORDS, InvalidRequest, 409, "too_hot", "temperature too hot"),
    "402": (402, {"message": "top up", "code": "insufficient_credits"}, PaymentRequired, 402,
            "insufficient_credits", "top up"),
    "402 without a code": (402, {"message": "top up"}, PaymentRequired, 402, "payment_required",
                           "top up"),
    "403 by its rules": (403, {"message": "not in your country", "code": "unsupported_country"},
                         Forbidden, 403, "unsupported_country", "not in your country"),
    "403 without words": (403, None, Forbidden, 403, "forbidden", ""),
    "403 for the key": (403, {"message": "Invalid API key"}, Unavailable, 503,
                        "upstream_key_refused", ""),
    "403 by a code": (403, {"message": "no", "code": "invalid_api_key"}, Unavailable, 503,
                      "upstream_key_refused", ""),
    "400 for the key": (400, {"message": "API key not valid"}, Unavailable, 503,
                        "upstream_key_refused", ""),
    "401": (401, {"message": "no"}, Unavailable, 503, "upstream_key_refused", ""),
    "404 for the model": (404, {"message": "The model `m` does not exist", "code": 404},
                          ModelNotFound, 404, "model_not_found", "does not exist"),
    "404 by a code": (404, {"message": "no", "code": "model_not_found"}, ModelNotFound, 404,
                      "model_not_found", "no"),
    "404 for the route": (404, {"message": "Not Found"}, UpstreamError, 502, "upstream_error",
                          "/v1/chat/completions"),
    "404 without words": (404, None, UpstreamError, 502, "upstream_error", "/v1/chat/completions"),
    "405": (405, {"message": "Method Not Allowed"}, UpstreamError, 502, "upstream_error",
            "/v1/chat/completions"),
    "429": (429, {"message": "quota", "code": "insufficient_quota"}, RateLimited, 429,
            "insufficient_quota", "quota"),
    "500": (500, WORDS, UpstreamError, 502, "too_hot", "temperature too hot"),
    "503": (503, {"message": "all slots are busy"}, Unavailable, 503, "provider_unavailable",
            "all slots are busy"),
    "503 that loads": (503, {"message": "Loading model"}, ModelLoading, 503, "model_loading", ""),
    "504": (504, {"message": "took too long"}, UpstreamError, 504, "upstream_error",
            "took too long"),
    "a number for a code": (400, {"message": "no", "code": 400}, InvalidRequest, 400,
                            "invalid_request_error", "no"),
    "no name for a code": (400, {"message": "no", "code": "a b\n"}, InvalidRequest, 400,
                           "invalid_request_error", "no"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("status", "words", "kind", "own", "code", "told"), SAID.values(), ids=SAID
)
async def test_its_words_come_through(
    opened: Opened, status: int, words: Any, kind: type[VenomError], own: int, code: str, told: str
) -> None:
    async with scripted_engine() as one, opened(one.url) as provider:
        one.reply = Reply(() if words is None else error(**words), status)
        with pytest.raises(VenomError) as raised:
            await ask(provider)
    refused = raised.value
    assert type(refused) is kind
    assert (refused.status, refused.code) == (own, code)
    assert told in refused.message
    if words is WORDS:
        assert refused.param == "temperature"


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b'{"detail":"Not Found"}', UpstreamError), (b"404 page not found\n", UpstreamError),
     (b"<html>404</html>", UpstreamError), (b"could not find real modelID for m", ModelNotFound),
     (b'{"error":"Unexpected endpoint or method. (POST /v1/models)"}', UpstreamError),
     (b'{"object":"error","message":"The model `m` does not exist."}', ModelNotFound)],
)  # fmt: skip
async def test_a_missing_route_is_no_missing_model(
    opened: Opened, body: bytes, kind: type[VenomError]
) -> None:
    async with scripted_engine() as one, opened(one.url) as provider:
        one.reply = Reply([body], 404)
        with pytest.raises(VenomError) as raised:
            await ask(provider)
        assert type(raised.value) is kind
        if kind is UpstreamError:
            with pytest.raises(UpstreamError, match="/v1/embeddings"):
                await provider.embed(EmbedRequest("m", ("a",), "req"))


async def test_embeddings_with_an_error_and_status_200(opened: Opened) -> None:
    async with scripted_engine() as one, opened(one.url) as provider:
        one.reply = Reply([b'{"error":"the GPU fell off"}'])
        with pytest.raises(UpstreamError, match="the GPU fell off"):
            await provider.embed(EmbedRequest("m", ("a",), "req"))


LISTED: dict[str, tuple[Any, list[str]]] = {
    "a row without an id": ([{"id": "a"}, {}, {"id": None}, {"id": ""}, {"name": "x"}], ["a"]),
    "a row that is none": ([None, 5, "b", [], {"id": "a"}], ["a"]),
    "ids that are none": ([{"id": 5}, {"id": {"a": 1}}, {"id": "a"}], ["a"]),
    "twice": ([{"id": "a"}, {"id": "a"}], ["a"]),
    "null": (None, []),
    "nothing": ([], []),
}


@pytest.mark.parametrize(("rows", "refs"), LISTED.values(), ids=LISTED)
async def test_one_bad_row_hides_no_other(opened: Opened, rows: Any, refs: list[str]) -> None:
    async with scripted_engine() as one, scripted_engine() as two:
        one.listing = Reply([json.dumps({"data": rows}).encode()])
        two.models = ["z"]
        async with opened(one.url, two.url) as provider:
            assert [model.ref for model in await provider.models()] == [*refs, "z"]
            assert (await provider.health()).status is ProviderStatus.READY


REFUSED: dict[str, tuple[Reply, str]] = {
    "the key": (Reply(error(message="no"), 401), "upstream_key_refused"),
    "by its rules": (Reply(error(message="no"), 403), "forbidden"),
    "no such route": (Reply((), 404), "upstream_error"),
    "broken": (Reply(error(message="no"), 500), "upstream_error"),
    "another page": (Reply([b"<html>"]), "upstream_error"),
    "no listing": (Reply([b'{"data": "x"}']), "upstream_error"),
    "an error with status 200": (Reply([b'{"error": "no"}']), "upstream_error"),
}


@pytest.mark.parametrize(("listing", "code"), REFUSED.values(), ids=REFUSED)
async def test_a_server_that_lists_nothing_is_not_called_down(
    opened: Opened, engine: ScriptedEngine, listing: Reply, code: str
) -> None:
    async with opened(engine.url, retry_after=3600.0) as provider:
        engine.listing, engine.reply = listing, Reply(ANSWER)
        assert [model.ref for model in await provider.models()] == ["m"], "what it listed before"
        assert await ask(provider)
        health = await provider.health()
        assert health.reason is not None
        assert (health.status, health.reason.code) == (ProviderStatus.DEGRADED, code)
        engine.listing = None
        assert (await provider.health()).status is ProviderStatus.READY


async def test_where_nothing_was_ever_listed_the_refusal_is_told(opened: Opened) -> None:
    async with scripted_engine() as one:
        one.listing = Reply(error(message="no"), 401)
        with pytest.raises(Unavailable) as raised:
            async with opened(one.url):
                pass
        assert raised.value.code == "upstream_key_refused"
