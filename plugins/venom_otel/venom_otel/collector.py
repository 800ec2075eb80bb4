"""The collector as the settings name it: where traces and metrics go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from venom_core.sdk.spec import SettingValue


@dataclass(frozen=True, slots=True)
class Collector:
    """Whole addresses; None where a signal is not exported. ``headers`` hold secrets."""

    traces: str | None
    metrics: str | None
    headers: str | None
    service_name: str | None

    @classmethod
    def of(cls, settings: Mapping[str, SettingValue]) -> Collector:
        """Read what is exported where."""
        return cls(
            traces=_address(settings, "traces"),
            metrics=_address(settings, "metrics"),
            headers=cast("str | None", settings["headers"]),
            service_name=cast("str | None", settings["service_name"]),
        )

    @property
    def is_named(self) -> bool:
        """Return whether anything is exported at all."""
        return self.traces is not None or self.metrics is not None


def _address(settings: Mapping[str, SettingValue], signal: str) -> str | None:
    if settings["disabled"] or settings[f"{signal}_exporter"] == "none":
        return None
    whole = cast("str | None", settings[f"{signal}_endpoint"])
    base = cast("str | None", settings["endpoint"])
    if whole or base is None:
        return whole
    return f"{base.rstrip('/')}/v1/{signal}"
