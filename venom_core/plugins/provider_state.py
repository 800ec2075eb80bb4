"""The state of a declared provider: its state, the reason, and whether its engine is there."""

from __future__ import annotations

from collections.abc import Callable

from venom_core.plugins.breaches import Breaches
from venom_core.plugins.engine_packages import missing_engine
from venom_core.plugins.records import ProviderRecord
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.sdk.spec import Capability, ProviderSpec
from venom_core.sdk.states import ProviderStatus, Reason

Watcher = Callable[[ProviderRecord], None]
Observe = Callable[[ObservedEvent], None]


class ProviderState:
    """``status`` and ``reason`` are the present state; ``excluded`` keeps the provider closed (a
    profile, a conflict of names) with the reason. ``changed`` is told of every new state,
    ``observe`` of each rule that it breaks for the first time."""

    def __init__(self, spec: ProviderSpec, changed: Watcher, observe: Observe) -> None:
        self.spec = spec
        self.status = ProviderStatus.IDLE
        self.reason: Reason | None = None
        self.version: str | None = None
        self.excluded: Reason | None = None
        self._changed = changed
        self.breaches = Breaches(spec.name, lambda breach: observe(breach.event()))
        self._see_engine()

    @property
    def is_at_rest(self) -> bool:
        """Whether it is neither open nor being opened."""
        return True

    def record(self) -> ProviderRecord:
        """The provider as it is now; a missing engine is looked for again."""
        if self.status in (ProviderStatus.IDLE, ProviderStatus.UNAVAILABLE):
            self._look_for_engine()
        status, why = self.status, self.reason
        if self.excluded is not None:
            status, why = ProviderStatus.DISABLED, self.excluded
        return ProviderRecord(
            name=self.spec.name,
            title=self.spec.title,
            status=status,
            capabilities=tuple(sorted(ability.value for ability in self.abilities())),
            reason=why,
            version=self.version,
            breaches=self.breaches.records(),
            summary=self.spec.summary,
            homepage=self.spec.homepage,
        )

    def abilities(self) -> list[Capability]:
        """Return the capabilities that it declares."""
        return [Capability(ability) for ability in self.spec.capabilities]

    def _look_for_engine(self) -> None:
        """A missing engine shows before anybody tries to use the provider."""
        if self.is_at_rest:
            self._see_engine()

    def _see_engine(self) -> None:
        missing = missing_engine(self.spec.engine)
        if missing is not None:
            self._become(ProviderStatus.UNAVAILABLE, missing)
        elif self.spec.engine and self.reason is not None and self.reason.code == "engine_missing":
            self._become(ProviderStatus.IDLE, None)

    def _become(
        self, status: ProviderStatus, why: Reason | None, version: str | None = None
    ) -> None:
        before = (self.status, self.reason)
        self.status, self.reason, self.version = status, why, version
        if before != (status, why):
            self._changed(ProviderRecord(self.spec.name, self.spec.title, status, (), why, version))
