"""The thread that makes spans and numbers of events, so that no request waits for either."""

from __future__ import annotations

import logging
import queue
import threading
import time
from typing import TYPE_CHECKING

from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.sdk.states import Reason
from venom_otel.collector import Collector

if TYPE_CHECKING:
    from venom_otel.exporting import Exporting

#: The events that are told.
REQUESTS = frozenset({"chat.finished", "embed.finished", "rerank.finished", "request.refused"})
#: Events that wait for the thread; more are left out, and counted.
MOST_WAITING = 10_000


class Worker:
    """Takes events without waiting; ``trouble`` is why they do not arrive, None where they do.

    The thread is a daemon: a collector that does not answer keeps nobody from ending.
    """

    def __init__(self, collector: Collector, logger: logging.Logger) -> None:
        self._collector = collector
        self._logger = logger
        self._waiting: queue.Queue[tuple[ObservedEvent, int] | None] = queue.Queue(MOST_WAITING)
        self._troubles: dict[str, Reason] = {}
        self._exporting: Exporting | None = None
        self._told: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="opentelemetry", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> Reason | None:
        """Return the first of what keeps events from arriving."""
        return next(iter(tuple(self._troubles.values())), None)

    def put(self, event: ObservedEvent, ended_at: int) -> None:
        """Take an event that happened at that time (nanoseconds since the epoch); never waits."""
        try:
            self._waiting.put_nowait((event, ended_at))
        except queue.Full:
            self._say("full", "Requests are left out of the telemetry: too many wait to be told.")

    def close(self, seconds: float) -> None:
        """Export what was not yet, for at most so many seconds. Blocks."""
        ends = time.monotonic() + seconds
        try:
            self._waiting.put(None, timeout=seconds)
        except queue.Full:
            return
        self._thread.join(max(0.0, ends - time.monotonic()))
        if self._thread.is_alive() and self._exporting is not None:
            self._exporting.give_up()
            self._say("late", "Telemetry of the last requests did not reach the collector in time.")

    def note(self, signal: str, trouble: str | None) -> None:
        """Keep how an export of a signal ended: None where it arrived. Said once each way."""
        before = self._troubles.pop(signal, None)
        if trouble is None:
            if before is not None:
                self._logger.info("the collector takes %s again", signal)
            return
        reason = Reason(
            "collector_down",
            f"The OpenTelemetry collector does not take {signal}: {trouble}.",
            "Start it, or correct VENOM_OTEL__ENDPOINT; requests are answered all the same.",
        )
        self._troubles[signal] = reason
        if before is None:
            self._logger.warning("%s %s", reason.message, reason.fix)

    def _run(self) -> None:
        try:
            from venom_otel.exporting import Exporting

            self._exporting = Exporting(self._collector, self.note)
        except Exception as error:  # a variable of OpenTelemetry's that cannot be read, above all
            self._troubles["start"] = Reason(
                "exporter_failed",
                f"OpenTelemetry did not start: {error}",
                "Correct what it names, and start Venom again.",
            )
            self._logger.warning("OpenTelemetry did not start", exc_info=True)
            while self._waiting.get() is not None:
                pass
            return
        while (item := self._waiting.get()) is not None:
            try:
                self._exporting.record(*item)
            except Exception:
                self._say("fault", "An event could not be told.", exc_info=True)
        self._exporting.close()

    def _say(self, what: str, sentence: str, *, exc_info: bool = False) -> None:
        """Log a sentence the first time that it is true."""
        if what not in self._told:
            self._told.add(what)
            self._logger.warning(sentence, exc_info=exc_info)
