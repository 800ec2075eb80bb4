"""The first observer: counts and durations of requests, for Prometheus.

Labels are a provider's name, a model's reference and a code; no prompt, no answer, no key.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from venom_core.sdk.hookspecs import ObservedEvent, hookimpl

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Histogram


class Meter:
    """Prometheus metrics, made at the first event or scrape."""

    @hookimpl
    def venom_observe(self, event: ObservedEvent) -> None:
        """Count a finished chat; other events are not metered."""
        if event.name != "chat.finished":
            return
        data = event.data
        names = (data["provider"], data["model"])
        self._requests.labels(*names, data["code"] or "ok").inc()
        for kind in ("prompt", "completion"):
            if (count := data[f"{kind}_tokens"]) is not None:
                self._tokens.labels(*names, kind).inc(count)
        if data["ttft_seconds"] is not None:
            self._ttft.labels(*names).observe(data["ttft_seconds"])
        self._duration.labels(*names).observe(data["duration_seconds"])

    def exposition(self) -> tuple[bytes, str]:
        """The text for ``/metrics`` and its content type."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        _ = self._requests, self._tokens, self._ttft, self._duration
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    @functools.cached_property
    def registry(self) -> CollectorRegistry:
        from prometheus_client import CollectorRegistry

        return CollectorRegistry()

    @functools.cached_property
    def _requests(self) -> Counter:
        from prometheus_client import Counter

        return Counter(
            "venom_requests",
            "Finished requests by code (ok, client_gone, or an error code).",
            ["provider", "model", "code"],
            registry=self.registry,
        )

    @functools.cached_property
    def _tokens(self) -> Counter:
        from prometheus_client import Counter

        return Counter(
            "venom_tokens",
            "Tokens as reported by the engine.",
            ["provider", "model", "kind"],
            registry=self.registry,
        )

    @functools.cached_property
    def _ttft(self) -> Histogram:
        return self._histogram(
            "venom_time_to_first_token_seconds", "From admission to first token."
        )

    @functools.cached_property
    def _duration(self) -> Histogram:
        return self._histogram("venom_request_duration_seconds", "From admission to the end.")

    def _histogram(self, name: str, help_: str) -> Histogram:
        from prometheus_client import Histogram

        buckets = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
        return Histogram(
            name, help_, ["provider", "model"], registry=self.registry, buckets=buckets
        )
