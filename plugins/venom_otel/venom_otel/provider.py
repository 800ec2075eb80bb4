"""The part with settings and a life: it watches while it is open, and tells what became of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.sdk.provider import Model, Provider, ProviderContext
from venom_core.sdk.states import Health, ProviderStatus, Reason
from venom_otel.collector import Collector
from venom_otel.plugin import WATCHING
from venom_otel.worker import REQUESTS, Worker

#: Seconds for what was not exported yet when Venom ends.
CLOSE_SECONDS = 5.0
NO_COLLECTOR = Reason(
    "no_collector",
    "No OpenTelemetry collector is named.",
    "Name one: VENOM_OTEL__ENDPOINT=http://host:4318",
)
SWITCHED_OFF = Reason(
    "no_collector",
    "The settings say that nothing is exported.",
    "See which ones: venom config show",
)


class TelemetryProvider(Provider):
    """Hands events of requests to a thread of its own, which is started at the first of them."""

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        self._collector = Collector.of(context.settings)
        self._worker: Worker | None = None

    async def open(self) -> None:
        if self._collector.is_named:
            WATCHING.add(self._watch)

    async def close(self) -> None:
        WATCHING.discard(self._watch)
        worker, self._worker = self._worker, None
        if worker is not None:
            await asyncio.to_thread(worker.close, CLOSE_SECONDS)

    async def health(self) -> Health:
        if not self._collector.is_named:
            named = any(
                self.context.settings[name]
                for name in ("endpoint", "traces_endpoint", "metrics_endpoint")
            )
            return Health(ProviderStatus.UNAVAILABLE, SWITCHED_OFF if named else NO_COLLECTOR)
        trouble = self._worker.trouble if self._worker is not None else None
        if trouble is None:
            return Health(ProviderStatus.READY)
        return Health(ProviderStatus.DEGRADED, trouble)

    async def models(self) -> Sequence[Model]:
        return ()

    def _watch(self, event: ObservedEvent) -> None:
        if event.name not in REQUESTS:
            return
        if self._worker is None:
            self._worker = Worker(self._collector, self.context.logger)
        self._worker.put(event, time.time_ns())
