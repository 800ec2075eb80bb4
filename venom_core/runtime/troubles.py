"""The observer that tells when a service ends by itself, and when it is there again.

It is told when somebody looks: a provider's state is that of the last question for its health.
"""

from __future__ import annotations

from collections.abc import Callable

from venom_core.sdk.hookspecs import ObservedEvent, hookimpl

#: A provider that goes on without one of its engines is degraded by this.
CRASHED = "engine_crashed"
_BY_SOMEBODY = ("service.stopped", "service.restarted")


class ServiceTroubles:
    """Reports ``service.failed`` and ``service.recovered``.

    Args:
        report: hands an event to the observers, the history and the feed among them.
    """

    def __init__(self, report: Callable[[ObservedEvent], None]) -> None:
        self._report = report
        self._served: set[str] = set()
        self._failed: set[str] = set()

    @hookimpl
    def venom_observe(self, event: ObservedEvent) -> None:
        """Follow the states of providers; what somebody stops is no trouble."""
        if event.name in _BY_SOMEBODY:
            self._forget(str(event.data.get("service")))
        elif event.name == "provider.state":
            told = event.data.get
            self._follow(str(told("provider")), told("status"), told("code"), told("message"))

    def _follow(self, name: str, status: str | None, code: str | None, message: str | None) -> None:
        if status in ("idle", "disabled"):
            self._forget(name)
        elif status in ("failed", "unavailable") or code == CRASHED:
            if name in self._served and name not in self._failed:
                self._failed.add(name)
                self._tell("service.failed", name, message or f"{name} does not answer.")
        elif status in ("ready", "degraded"):
            self._served.add(name)
            if name in self._failed:
                self._failed.discard(name)
                self._tell("service.recovered", name, f"{name} answers again.")

    def _forget(self, name: str) -> None:
        self._served.discard(name)
        self._failed.discard(name)

    def _tell(self, event: str, name: str, message: str) -> None:
        success = event == "service.recovered"
        data = {"service": name, "action": "run", "success": success, "message": message}
        self._report(ObservedEvent(event, data))
