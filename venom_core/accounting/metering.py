"""The first observer: counts and durations of requests, for Prometheus.

Labels are a provider's name, a model's reference and a code; no prompt, no answer, no key. Each of
the three is a word of somebody else's, so each has a bound: what comes after it is ``other``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from venom_core.sdk.hookspecs import ObservedEvent, hookimpl

if TYPE_CHECKING:
    from prometheus_client import Counter

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)

#: Models, providers and codes that have time series of their own; those that came first have them
#: until the server ends, as a counter that goes away and comes back is read as a restart.
MAX_MODELS = 128
MAX_PROVIDERS = 32
MAX_CODES = 64
#: Characters of a label's value.
MAX_LABEL = 256
#: The value of a label for all that is above its bound.
OTHER = "other"


class Metrics:
    """The metrics and their registry; making them imports prometheus_client."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        self.registry = CollectorRegistry()
        self.codes: set[str] = set()
        self.providers: set[str] = set()
        self.series: dict[tuple[str, str], Series] = {}
        self.requests = Counter(
            "venom_requests",
            "Finished requests by code (ok, client_gone, or an error code).",
            ["provider", "model", "code"],
            registry=self.registry,
        )
        self.refusals = Counter(
            "venom_refused_requests",
            "Requests that ended before a provider was asked, by code.",
            ["code"],
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

    def series_of(self, provider: str, model: str) -> Series:
        """Return the counters of a model, or of all models for which there is no room."""
        found = self.series.get((provider, model))
        if found is not None:
            return found
        provider = _known(_label(provider), self.providers, MAX_PROVIDERS)
        names = (provider, _label(model))
        if provider == OTHER or (names not in self.series and len(self.series) >= MAX_MODELS):
            names = (provider, OTHER)
        if names not in self.series:
            self.series[names] = Series(self, *names)
        return self.series[names]

    def code_of(self, code: str) -> str:
        """Return a code as a label; an upstream may have any number of codes of its own."""
        return code if code in self.codes else _known(_label(code), self.codes, MAX_CODES)


def _label(text: str) -> str:
    """Return a word of somebody else's as a label may hold it: short, and writable as UTF-8."""
    return text[:MAX_LABEL].encode("utf-8", "replace").decode("utf-8")


def _known(label: str, known: set[str], most: int) -> str:
    """Return a label that has its own series already or gets them now, else ``other``."""
    if label not in known:
        if len(known) >= most:
            return OTHER
        known.add(label)
    return label


class Series:
    """One model's own counters, looked up by their labels once."""

    __slots__ = ("codes", "completion", "duration", "first_token", "names", "prompt")

    def __init__(self, metrics: Metrics, provider: str, model: str) -> None:
        self.names = (provider, model)
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
        """Count a finished chat and a refused request; other events are not metered."""
        if event.name not in ("chat.finished", "request.refused"):
            return
        data, metrics = event.data, self.metrics()
        if event.name == "request.refused":
            metrics.refusals.labels(metrics.code_of(data["code"])).inc()
            return
        series = metrics.series_of(data["provider"], data["model"])
        code = metrics.code_of(data["code"] or "ok")
        requests = series.codes.get(code)
        if requests is None:
            requests = series.codes[code] = metrics.requests.labels(*series.names, code)
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
