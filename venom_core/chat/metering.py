"""The first observer: counts and durations of requests, for Prometheus.

Labels are a provider's name, a model's reference and a code; no prompt, no answer, no key.
"""

from __future__ import annotations

from venom_core.sdk.hookspecs import ObservedEvent, hookimpl

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """The metrics and their registry; making them imports prometheus_client."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        self.registry = CollectorRegistry()
        self.requests = Counter(
            "venom_requests",
            "Finished requests by code (ok, client_gone, or an error code).",
            ["provider", "model", "code"],
            registry=self.registry,
        )
        self.tokens = Counter(
            "venom_tokens",
            "Tokens as reported by the engine.",
            ["provider", "model", "kind"],
            registry=self.registry,
        )
        self.first_token = Histogram(
            "venom_time_to_first_token_seconds",
            "From admission to the first token.",
            ["provider", "model"],
            registry=self.registry,
            buckets=BUCKETS,
        )
        self.duration = Histogram(
            "venom_request_duration_seconds",
            "From admission to the end.",
            ["provider", "model"],
            registry=self.registry,
            buckets=BUCKETS,
        )


class Meter:
    """Counts finished requests; its metrics are made at the first event or scrape."""

    def __init__(self) -> None:
        self._made: Metrics | None = None

    @hookimpl
    def venom_observe(self, event: ObservedEvent) -> None:
        """Count a finished chat; other events are not metered."""
        if event.name != "chat.finished":
            return
        data, metrics = event.data, self.metrics()
        names = (data["provider"], data["model"])
        metrics.requests.labels(*names, data["code"] or "ok").inc()
        for kind in ("prompt", "completion"):
            if (count := data[f"{kind}_tokens"]) is not None:
                metrics.tokens.labels(*names, kind).inc(count)
        if data["ttft_seconds"] is not None:
            metrics.first_token.labels(*names).observe(data["ttft_seconds"])
        metrics.duration.labels(*names).observe(data["duration_seconds"])

    def metrics(self) -> Metrics:
        # No property: pluggy looks at every attribute of an observer when it is added.
        if self._made is None:
            self._made = Metrics()
        return self._made

    def exposition(self) -> tuple[bytes, str]:
        """The text for ``/metrics`` and its content type."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        return generate_latest(self.metrics().registry), CONTENT_TYPE_LATEST
