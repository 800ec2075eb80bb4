"""OpenTelemetry's SDK, set up for one collector and told of requests; made by the worker's thread.

Its providers are our own and not the process's: who embeds Venom has others. Sampling, batches,
intervals, timeouts, compression and certificates are the SDK's and follow its ``OTEL_*`` variables.
"""

from __future__ import annotations

import importlib.metadata
import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from venom_core.sdk.hookspecs import ObservedEvent
from venom_otel.collector import Collector
from venom_otel.conventions import METRICS, operation_of

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from requests import Session

SCOPE = "venom"
#: Logs each failed export, and each try of it; ours are said once.
LOUD = "opentelemetry.exporter"

Note = Callable[[str, str | None], None]


class Exporting:
    """Makes spans and numbers of events, which the SDK's own threads send in batches.

    Args:
        note: told how each export of ``traces`` and ``metrics`` ended; None where it arrived.
    """

    def __init__(self, collector: Collector, note: Note) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        logging.getLogger(LOUD).setLevel(logging.CRITICAL)
        self._version = importlib.metadata.version("venom-otel")
        self._trace_context = TraceContextTextMapPropagator()
        resource = _resource(collector.service_name, self._version)
        headers = _headers(collector.headers)
        self._exporters: list[Any] = []
        self._traces = self._metrics = None
        self._histograms: dict[str, Histogram] = {}
        if collector.traces is not None:
            self._traces = self._tracing(collector.traces, headers, resource, note)
        if collector.metrics is not None:
            self._metrics = self._measuring(collector.metrics, headers, resource, note)

    def record(self, event: ObservedEvent, ended_at: int) -> None:
        """Tell of a request that ended at that time (nanoseconds since the epoch)."""
        from opentelemetry.trace import SpanKind, Status, StatusCode

        done = operation_of(event)
        for name, value, attributes in done.measured:
            if (histogram := self._histograms.get(name)) is not None:
                histogram.record(value, attributes)
        if self._traces is None:
            return
        carrier = {} if done.traceparent is None else {"traceparent": done.traceparent}
        span = self._traces.get_tracer(SCOPE, self._version).start_span(
            done.name,
            self._trace_context.extract(carrier),
            SpanKind.CLIENT,
            {**done.common, **done.own},
            start_time=ended_at - round(done.seconds * 1e9),
        )
        if done.error is not None:
            span.set_status(Status(StatusCode.ERROR, done.error))
        span.end(ended_at)

    def close(self) -> None:
        """Export what was not yet, both signals side by side; returns when that is done."""
        parts = [part for part in (self._traces, self._metrics) if part is not None]
        closing = [threading.Thread(target=part.shutdown, daemon=True) for part in parts]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join()

    def give_up(self) -> None:
        """End every wait for the collector; what was not exported is lost."""
        for exporter in self._exporters:
            exporter.shutdown()

    def _tracing(
        self, address: str, headers: dict[str, str] | None, resource: Resource, note: Note
    ) -> TracerProvider:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

        class Exporter(OTLPSpanExporter):
            def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
                result = super().export(spans)
                arrived = result is SpanExportResult.SUCCESS
                note("traces", None if arrived else answers.last)
                return result

        answers = _Answers()
        exporter = Exporter(address, headers=headers, session=answers.session())
        self._exporters.append(exporter)
        traces = TracerProvider(resource=resource, shutdown_on_exit=False)
        traces.add_span_processor(BatchSpanProcessor(exporter))
        return traces

    def _measuring(
        self, address: str, headers: dict[str, str] | None, resource: Resource, note: Note
    ) -> MeterProvider:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import (
            MetricExportResult,
            MetricsData,
            PeriodicExportingMetricReader,
        )

        class Exporter(OTLPMetricExporter):
            def export(
                self, metrics_data: MetricsData, timeout_millis: float | None = 10_000, **more: Any
            ) -> MetricExportResult:
                result = super().export(metrics_data, timeout_millis, **more)
                arrived = result is MetricExportResult.SUCCESS
                note("metrics", None if arrived else answers.last)
                return result

        answers = _Answers()
        exporter = Exporter(address, headers=headers, session=answers.session())
        self._exporters.append(exporter)
        reader = PeriodicExportingMetricReader(exporter)
        metrics = MeterProvider([reader], resource, shutdown_on_exit=False)
        meter = metrics.get_meter(SCOPE, self._version)
        for name, (unit, bounds) in METRICS.items():
            self._histograms[name] = meter.create_histogram(
                name, unit, explicit_bucket_boundaries_advisory=bounds
            )
        return metrics


class _Answers:
    """Hears what the collector answers: the SDK tells only whether an export arrived."""

    def __init__(self) -> None:
        self.last = "it cannot be reached"

    def session(self) -> Session:
        """Return a session for an exporter, that is heard."""
        from requests import PreparedRequest, Response, Session

        class Heard(Session):
            def send(self, request: PreparedRequest, **options: Any) -> Response:
                answers.last = "it cannot be reached"
                response = super().send(request, **options)
                answers.last = f"it answers {response.status_code}"
                return response

        answers = self
        return Heard()


def _headers(text: str | None) -> dict[str, str] | None:
    """Return the headers that the setting names; None leaves them to the SDK's variables."""
    from opentelemetry.util.re import parse_env_headers

    return None if text is None else dict(parse_env_headers(text, liberal=True))


def _resource(service_name: str | None, version: str) -> Resource:
    """Return who tells: as the setting names it, else ``OTEL_RESOURCE_ATTRIBUTES``, else venom."""
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource

    found = Resource.create({SERVICE_VERSION: version})
    named = str(found.attributes.get(SERVICE_NAME, ""))
    if service_name is None and not named.startswith("unknown_service"):
        return found
    return found.merge(Resource({SERVICE_NAME: service_name or "venom"}))
