"""A server that runs, a fake collector, and what arrives there of each way that a request ends."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from plugins.venom_otel.tests.collector import FakeCollector, attributes_of, fake_collector
from tests.served import served
from tests.stage import stage
from venom_core.api.app import create_app
from venom_core.sdk.frames import Usage, delta
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing import scripted
from venom_core.testing.deadlines import patience, until
from venom_core.testing.scripted import Pause, Script, answer, say
from venom_core.testing.staging import SCRIPTED, entry, venom_over

__all__ = ["stage"]  # used by being here

SECRET = "the prompt that nobody else is to read"
HI = {"model": "m", "messages": [{"role": "user", "content": SECRET}]}
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "100")
    with fake_collector() as collector:
        yield collector


@pytest.fixture
async def client(collector: FakeCollector, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server on a socket, set up as the standard's variable says."""
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    settings = Settings.load(Paths.at(tmp_path), env)
    app = create_app(venom_over(settings, (SCRIPTED, entry("venom_otel.plugin"))))
    async with (
        served(app) as url,
        httpx.AsyncClient(base_url=url, timeout=patience(30)) as client,
    ):
        await client.get("/api/v1/plugins")  # all of them are loaded then
        yield client


async def only_span(collector: FakeCollector) -> tuple[Any, dict[str, Any]]:
    await until(lambda: bool(collector.spans()), seconds=60)
    (span,) = collector.spans()
    return span, attributes_of(span.attributes)


async def durations(collector: FakeCollector, metric: str) -> list[dict[str, Any]]:
    await until(lambda: metric in collector.points(), seconds=60)
    return [attributes for attributes, _, _ in collector.points()[metric]]


async def test_an_answer_in_pieces(client: httpx.AsyncClient, collector: FakeCollector) -> None:
    scripted.SCRIPTS["m"] = Script(say("a", "b", "c", usage=Usage(7, 3)))
    body = {**HI, "stream": True, "temperature": 0.25}
    headers = {"traceparent": PARENT, "x-request-id": "mine-1"}
    await client.post("/v1/chat/completions", json=body, headers=headers)
    span, told = await only_span(collector)
    assert span.trace_id.hex() == PARENT.split("-")[1]
    assert span.parent_span_id.hex() == PARENT.split("-")[2]
    assert (span.name, span.status.code) == ("chat m", 0)
    assert told.pop("gen_ai.response.time_to_first_chunk") > 0
    assert told == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "scripted",
        "gen_ai.request.model": "m", "gen_ai.response.model": "m", "gen_ai.request.stream": True,
        "gen_ai.request.temperature": 0.25, "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 3, "gen_ai.response.finish_reasons": ["stop"],
        "venom.request.id": "mine-1",
    }  # fmt: skip
    (first,) = await durations(collector, "gen_ai.server.time_to_first_token")
    assert first["gen_ai.provider.name"] == "scripted"
    kinds = await durations(collector, "gen_ai.client.token.usage")
    assert {one["gen_ai.token.type"] for one in kinds} == {"input", "output"}
    assert await durations(collector, "gen_ai.server.time_per_output_token")


async def test_a_whole_answer(client: httpx.AsyncClient, collector: FakeCollector) -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    await client.post("/v1/chat/completions", json=HI)
    span, told = await only_span(collector)
    assert span.parent_span_id == b""
    assert (told["gen_ai.request.stream"], told["gen_ai.usage.output_tokens"]) == (False, 2)
    assert "gen_ai.response.time_to_first_chunk" not in told
    (duration,) = await durations(collector, "gen_ai.client.operation.duration")
    assert "error.type" not in duration


async def test_a_refused_one(client: httpx.AsyncClient, collector: FakeCollector) -> None:
    body = {**HI, "model": SECRET}
    refused = await client.post("/v1/chat/completions", json=body, headers={"traceparent": PARENT})
    assert refused.status_code == 404
    span, told = await only_span(collector)
    assert (span.name, span.status.code, span.status.message) == ("chat", 2, "model_not_found")
    assert told["error.type"] == "model_not_found"
    assert told["gen_ai.provider.name"] == "venom"
    assert span.trace_id.hex() == PARENT.split("-")[1]
    (duration,) = await durations(collector, "gen_ai.client.operation.duration")
    assert duration["error.type"] == "model_not_found"


async def test_one_that_the_client_left(
    client: httpx.AsyncClient, collector: FakeCollector
) -> None:
    scripted.SCRIPTS["m"] = Script([delta("a", role="assistant"), Pause(forever=True)])
    async with client.stream("POST", "/v1/chat/completions", json={**HI, "stream": True}) as left:
        assert left.status_code == 200
    span, told = await only_span(collector)
    assert (span.status.code, told["error.type"]) == (2, "client_gone")
    assert "gen_ai.response.finish_reasons" not in told


async def test_embeddings(client: httpx.AsyncClient, collector: FakeCollector) -> None:
    scripted.SCRIPTS["m"] = Script([])
    await client.post("/v1/embeddings", json={"model": "m", "input": SECRET})
    _, told = await only_span(collector)
    assert told["gen_ai.operation.name"] == "embeddings"


async def test_no_prompt_no_answer_and_no_key_leave(
    client: httpx.AsyncClient, collector: FakeCollector
) -> None:
    scripted.SCRIPTS["m"] = Script(say("the secret answer"))
    body = {**HI, "stream": True, "user": SECRET, "stop": [SECRET], "metadata": {"a": SECRET}}
    headers = {"authorization": "Bearer sk-secret-key", "x-request-id": "r"}
    await client.post("/v1/chat/completions", json=body, headers=headers)
    await client.post("/v1/chat/completions", json={**HI, "model": SECRET})
    await until(lambda: len(collector.spans()) == 2, seconds=60)
    await durations(collector, "gen_ai.client.token.usage")
    for _, sent_headers, told in collector.requests:
        for secret in (SECRET, "secret answer", "sk-secret-key"):
            assert secret.encode() not in told
            assert secret not in json.dumps(sent_headers)


async def test_a_collector_that_is_away_costs_no_request(tmp_path: Path) -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    settings = Settings.load(Paths.at(tmp_path), {"VENOM_OTEL__ENDPOINT": "http://127.0.0.1:9"})
    app = create_app(venom_over(settings, (SCRIPTED, entry("venom_otel.plugin"))))
    async with served(app) as url, httpx.AsyncClient(base_url=url, timeout=patience(30)) as client:
        for _ in range(20):
            assert (await client.post("/v1/chat/completions", json=HI)).status_code == 200
