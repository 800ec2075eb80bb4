"""The plugin's life: without a collector, with one, and with one that is away."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from plugins.venom_otel.tests.collector import attributes_of, fake_collector
from plugins.venom_otel.tests.test_conventions import FINISHED, NOBODY, REFUSED
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.sdk.states import ProviderStatus
from venom_core.testing.contexts import opened, provider_context
from venom_core.testing.deadlines import patience, until
from venom_core.testing.staging import SCRIPTED, entry, stage
from venom_otel import plugin, provider
from venom_otel.collector import Collector
from venom_otel.plugin import venom_observe, venom_providers
from venom_otel.provider import TelemetryProvider
from venom_otel.worker import Worker

EVENT = ObservedEvent("chat.finished", FINISHED)
AWAY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's OpenTelemetry; exports come soon."""
    for name in ("TRACES", "METRICS"):
        monkeypatch.delenv(f"OTEL_EXPORTER_OTLP_{name}_ENDPOINT", raising=False)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "50")


def made(folder: Path, **settings: Any) -> TelemetryProvider:
    (spec,) = venom_providers()
    return TelemetryProvider(provider_context(spec, folder, folder, settings))


async def status(telemetry: TelemetryProvider) -> tuple[ProviderStatus, str | None]:
    health = await telemetry.health()
    return health.status, health.reason.code if health.reason else None


@pytest.mark.parametrize(
    ("settings", "traces", "metrics"),
    [
        ({}, None, None),
        ({"endpoint": "http://c:4318/"}, "http://c:4318/v1/traces", "http://c:4318/v1/metrics"),
        ({"traces_endpoint": "http://t/x"}, "http://t/x", None),
        (
            {"endpoint": "http://c", "metrics_endpoint": "http://m"},
            "http://c/v1/traces",
            "http://m",
        ),
        ({"endpoint": "http://c", "traces_exporter": "none"}, None, "http://c/v1/metrics"),
        ({"endpoint": "http://c", "disabled": True}, None, None),
        ({"traces_endpoint": "http://t", "disabled": True}, None, None),
    ],
)
def test_where_it_goes(
    tmp_path: Path, settings: dict[str, Any], traces: str | None, metrics: str | None
) -> None:
    found = Collector.of(made(tmp_path, **settings).context.settings)
    assert (found.traces, found.metrics) == (traces, metrics)


@pytest.mark.parametrize("settings", [{}, {"endpoint": AWAY, "disabled": True}])
async def test_without_a_collector_nothing_is_watched(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    async with opened(made(tmp_path, **settings)) as telemetry:
        assert await status(telemetry) == (ProviderStatus.UNAVAILABLE, "no_collector")
        assert not plugin.WATCHING
        assert list(await telemetry.models()) == []


async def test_spans_and_metrics_arrive(tmp_path: Path) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with fake_collector() as collector:
        settings = {"endpoint": collector.url, "headers": "api-key=s3cret,x=1"}
        before = time.time_ns()
        async with opened(made(tmp_path, **settings)) as telemetry:
            assert len(plugin.WATCHING) == 1
            venom_observe(ObservedEvent("chat.finished", {**FINISHED, "traceparent": parent}))
            venom_observe(ObservedEvent("request.refused", {**REFUSED, **NOBODY}))
            venom_observe(ObservedEvent("plugin.state", {"plugin": "x"}))
            await until(lambda: len(collector.spans()) == 2)
            assert await status(telemetry) == (ProviderStatus.READY, None)
        assert not plugin.WATCHING
        first, second = collector.spans()
        assert first.trace_id.hex() == parent.split("-")[1]
        assert first.parent_span_id.hex() == parent.split("-")[2]
        assert second.trace_id != first.trace_id
        assert second.parent_span_id == b""
        assert (first.status.code, second.status.code) == (0, 2)
        assert first.end_time_unix_nano - first.start_time_unix_nano == 3_000_000_000
        assert before <= first.end_time_unix_nano <= time.time_ns()
        assert (first.name, first.kind) == ("chat gemma3:4b", first.SPAN_KIND_CLIENT)
        assert attributes_of(first.attributes)["gen_ai.response.finish_reasons"] == ["stop"]
        tokens = {
            attributes["gen_ai.token.type"]: (count, total)
            for attributes, count, total in collector.points()["gen_ai.client.token.usage"]
        }
        assert tokens == {"input": (1, 10.0), "output": (1, 5.0)}
        durations = collector.points()["gen_ai.client.operation.duration"]
        assert {attributes.get("error.type") for attributes, _, _ in durations} == {
            None,
            "model_not_found",
        }
        assert all(headers["api-key"] == "s3cret" for _, headers, _ in collector.requests)
        assert {one["service.name"] for one in collector.resources()} == {"venom"}
        assert {path for path, _, _ in collector.requests} == {"/v1/traces", "/v1/metrics"}


@pytest.mark.parametrize(
    ("setting", "variable", "name"),
    [
        (None, "", "venom"),
        ("mine", "", "mine"),
        (None, "service.name=theirs,a=b", "theirs"),
        ("mine", "service.name=theirs", "mine"),
    ],
)
async def test_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str | None, variable: str, name: str
) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", variable)
    with fake_collector() as collector:
        async with opened(made(tmp_path, endpoint=collector.url, service_name=setting)):
            venom_observe(EVENT)
            await until(lambda: bool(collector.spans()))
        assert {one["service.name"] for one in collector.resources()} == {name}
        assert all(one["service.version"] for one in collector.resources())


async def test_what_is_left_goes_out_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "3600000")
    monkeypatch.setattr(provider, "CLOSE_SECONDS", patience(30))
    with fake_collector() as collector:
        async with opened(made(tmp_path, endpoint=collector.url)):
            for _ in range(50):
                venom_observe(EVENT)
        assert len(collector.spans()) == 50
        ((_, count, _),) = collector.points()["gen_ai.client.operation.duration"]
        assert count == 50


@pytest.mark.parametrize(
    ("answer", "says"), [(None, "it cannot be reached"), (401, "it answers 401")]
)
async def test_one_that_is_away_is_said_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    answer: int | None,
    says: str,
) -> None:
    if answer is None:  # one that answers is never late because the machine is busy
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.3")
    monkeypatch.setattr(provider, "CLOSE_SECONDS", 0.5)
    caplog.set_level(logging.INFO)
    with fake_collector() as collector:
        collector.status = answer or 200
        address = AWAY if answer is None else collector.url
        endpoints = {"traces_endpoint": f"{address}/v1/traces"}
        async with opened(made(tmp_path, **endpoints)) as telemetry:
            for _ in range(3):
                venom_observe(EVENT)
            await until(lambda: says in caplog.text, seconds=60)
            assert await status(telemetry) == (ProviderStatus.DEGRADED, "collector_down")
            for _ in range(20):
                venom_observe(EVENT)
            if answer is not None:
                collector.status = 200
                await until(lambda: bool(collector.spans()), seconds=60)
                await until(lambda: "takes traces again" in caplog.text, seconds=60)
                assert await status(telemetry) == (ProviderStatus.READY, None)
        lines = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert len([one for one in lines if says in one.getMessage()]) == 1
        assert not [one for one in lines if one.name.startswith("opentelemetry")]


@pytest.mark.parametrize("kind", ["silent", "later"])
async def test_the_end_is_bounded(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    """A collector that says nothing, or to come back in half an hour, holds up no end."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3600")
    monkeypatch.setattr(provider, "CLOSE_SECONDS", 0.2)
    with fake_collector() as collector:
        if kind == "silent":
            collector.silent = threading.Event()
        else:
            collector.status, collector.retry_after = 503, 1800
        telemetry = made(tmp_path, endpoint=collector.url)
        await telemetry.open()
        venom_observe(EVENT)
        await until(lambda: collector.asked > 0, seconds=60)
        await telemetry.close()
        assert not plugin.WATCHING
        assert not collector.requests
    assert "did not reach the collector in time" in caplog.text


async def test_a_request_never_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A thread that is stuck costs telemetry, said once, and no request."""
    monkeypatch.setattr("venom_otel.worker.MOST_WAITING", 5)
    stuck = threading.Event()
    monkeypatch.setattr(Worker, "_run", lambda _: stuck.wait(60))
    monkeypatch.setattr(provider, "CLOSE_SECONDS", 0.1)
    async with opened(made(tmp_path, endpoint=AWAY)):
        for _ in range(1000):
            venom_observe(EVENT)
        assert caplog.text.count("too many wait") == 1
    stuck.set()


async def test_a_variable_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "CLOSE_SECONDS", 0.5)
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "2")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "9")
    async with opened(made(tmp_path, endpoint=AWAY)) as telemetry:
        venom_observe(EVENT)
        await until(lambda: telemetry._worker is not None and telemetry._worker.trouble is not None)
        health = await telemetry.health()
        assert health.reason is not None
        assert health.reason.code == "exporter_failed"
        assert "max_export_batch_size" in health.reason.message


def test_nothing_of_it_is_imported_before_there_is_something_to_tell() -> None:
    code = (
        "import sys, venom_otel.plugin, venom_otel.provider\n"
        "print([name for name in ('opentelemetry.sdk', 'requests', 'google.protobuf')"
        " if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=patience(60),
        check=True,
    )
    assert done.stdout.strip() == "[]"


async def test_it_is_nobody_to_ask_for_an_answer(tmp_path: Path) -> None:
    env = {"VENOM_OTEL__ENDPOINT": AWAY}
    async with stage(SCRIPTED, entry("venom_otel.plugin"), home=tmp_path, env=env) as there:
        await there.client.get("/api/v1/plugins")
        profiles = (await there.client.get("/api/v1/profiles")).json()["profiles"]
        services = (await there.client.get("/api/v1/system/services")).json()["services"]
        assert any("scripted" in profile["servers"] for profile in profiles)
        assert not any("otel" in profile["servers"] for profile in profiles)
        names = {service["name"] for service in services}
        assert "scripted" in names
        assert "otel" not in names


async def test_it_stands_in_the_list_of_plugins(tmp_path: Path) -> None:
    env = {"OTEL_EXPORTER_OTLP_HEADERS": "api-key=s3cret"}
    async with stage(SCRIPTED, entry("venom_otel.plugin"), home=tmp_path, env=env) as there:
        plugins = (await there.client.get("/api/v1/plugins")).json()["plugins"]
        (otel,) = [one for one in plugins if one["id"] == "otel"]
        (told,) = otel["providers"]
        assert (otel["state"], told["status"], told["capabilities"]) == (
            "loaded",
            "unavailable",
            [],
        )
        assert told["reason"]["code"] == "no_collector"
        printed = await there.cli("plugins")
        assert "otel" in printed.out
        assert "VENOM_OTEL__ENDPOINT" in printed.out
        form = (await there.client.get("/api/v1/plugins/otel/settings")).text
        assert "api-key" not in form
        assert "OTEL_EXPORTER_OTLP_HEADERS" in form
