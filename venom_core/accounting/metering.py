"""The first observer: counts and durations of requests, for Prometheus.

Labels are a provider's name, a model's reference and a code; no prompt, no answer, no key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from venom_core.sdk.hookspecs import ObservedEvent, hookimpl

if TYPE_CHECKING:
    from prometheus_client import Counter

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """The metrics and their registry; making them imports prometheus_client."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        self.registry = CollectorRegistry()
        self.series: dict[tuple[str, str], Series] = {}
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


#: Codes of one model that have a time series each.
MAX_CODES = 64


class Series:
    """One model's own counters, looked up by their labels once."""

    __slots__ = ("codes", "completion", "duration", "first_token", "prompt")

    def __init__(self, metrics: Metrics, provider: str, model: str) -> None:
        self.codes: dict[str, Counter] = {}
        self.prompt = metrics.tokens.labels(provider, model, "prompt")
        self.completion = metrics.tokens.labels(provider, model, "completion")
        self.first_token = metrics.first_token.labels(provider, model)
        self.duration = metrics.duration.labels(provider, model)


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
        series = metrics.series.get(names)
        if series is None:
            series = metrics.series[names] = Series(metrics, *names)
        code = data["code"] or "ok"
        if len(series.codes) >= MAX_CODES and code not in series.codes:
            code = "other"  # an upstream may have any number of codes of its own
        requests = series.codes.get(code)
        if requests is None:
            requests = series.codes[code] = metrics.requests.labels(*names, code)
        requests.inc()
        if data["prompt_tokens"] is not None:
            series.prompt.inc(data["prompt_tokens"])
        if data["completion_tokens"] is not None:
            series.completion.inc(data["completion_tokens"])
        if data["ttft_seconds"] is not None:
            series.first_token.observe(data["ttft_seconds"])
        series.duration.observe(data["duration_seconds"])

    def metrics(self) -> Metrics:
        # No property: pluggy looks at every attribute of an observer when it is added.
        if self._made is None:
            self._made = Metrics()
        return self._made

    def exposition(self) -> tuple[bytes, str]:
        """Return the text for ``/metrics`` and its content type."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        return generate_latest(self.metrics().registry), CONTENT_TYPE_LATEST
