"""A fake collector: it takes OTLP over HTTP, reads it as the protocol says, and keeps it."""

from __future__ import annotations

import contextlib
import gzip
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span


def value_of(value: AnyValue) -> Any:
    """Return a value of the protocol as Python's own."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(one) for one in value.array_value.values]
    return getattr(value, kind)


def attributes_of(pairs: Any) -> dict[str, Any]:
    """Return attributes by name."""
    found: list[KeyValue] = list(pairs)
    return {pair.key: value_of(pair.value) for pair in found}


@dataclass
class FakeCollector:
    """Keeps path, headers and body of each request. ``status`` is what it answers;
    ``silent`` keeps it from answering at all, and ``retry_after`` has its clients wait so long."""

    url: str = ""
    status: int = 200
    retry_after: int | None = None
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    silent: threading.Event | None = None
    asked: int = 0

    def spans(self) -> list[Span]:
        """Return every span, in the order of their arrival."""
        return [
            span
            for resource in self._told("traces")
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def resources(self) -> list[dict[str, Any]]:
        """Return who told, of each request."""
        told = [*self._told("traces"), *self._told("metrics")]
        return [attributes_of(one.resource.attributes) for one in told]

    def points(self) -> dict[str, list[tuple[dict[str, Any], int, float]]]:
        """Return metric -> its points as last told: attributes, count and sum."""
        return {
            metric.name: [
                (attributes_of(point.attributes), point.count, point.sum)
                for point in metric.histogram.data_points
            ]
            for resource in self._told("metrics")
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def _told(self, signal: str) -> Iterator[Any]:
        from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

        for path, _, body in tuple(self.requests):
            if not path.endswith(signal):
                continue
            if signal == "traces":
                yield from trace_service_pb2.ExportTraceServiceRequest.FromString(
                    body
                ).resource_spans
            else:
                yield from metrics_service_pb2.ExportMetricsServiceRequest.FromString(
                    body
                ).resource_metrics


@contextlib.contextmanager
def fake_collector() -> Iterator[FakeCollector]:
    """Serve one on a free port."""
    kept = FakeCollector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            kept.asked += 1
            if kept.silent is not None:
                kept.silent.wait(600)
            if kept.status == 200:
                headers = {name.lower(): text for name, text in self.headers.items()}
                kept.requests.append((self.path, headers, body))
            self.send_response(kept.status)
            self.send_header("content-length", "0")
            if kept.retry_after is not None:
                self.send_header("retry-after", str(kept.retry_after))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    kept.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        if kept.silent is not None:
            kept.silent.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
