"""States of plugins and providers, and the reason that goes with each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal

from venom_core.sdk.errors import VenomError

if TYPE_CHECKING:
    from venom_core.sdk.records import ReasonRecord

STATES_DOCS = "/docs/plugins/states"

#: The labels of the states below, as answers show them; a test holds the two together.
PluginStateLabel = Literal["discovered", "disabled", "incompatible", "failed", "loaded"]
ProviderStatusLabel = Literal[
    "idle", "opening", "ready", "degraded", "unavailable", "failed", "disabled"
]


class PluginState(Enum):
    """What became of an installed plugin. ``recoverable``: a retry without an install may help."""

    DISCOVERED = ("discovered", True)
    DISABLED = ("disabled", True)
    INCOMPATIBLE = ("incompatible", False)
    FAILED = ("failed", True)
    LOADED = ("loaded", False)

    def __init__(self, label: PluginStateLabel, recoverable: bool) -> None:
        self.label = label
        self.recoverable = recoverable


class ProviderStatus(Enum):
    """What became of a provider of a loaded plugin."""

    IDLE = ("idle", True)
    OPENING = ("opening", True)
    READY = ("ready", True)
    DEGRADED = ("degraded", True)
    UNAVAILABLE = ("unavailable", True)
    FAILED = ("failed", False)
    DISABLED = ("disabled", True)

    def __init__(self, label: ProviderStatusLabel, recoverable: bool) -> None:
        self.label = label
        self.recoverable = recoverable


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is not as wished: a stable code, a sentence, and what to do."""

    code: str
    message: str
    fix: str | None = None

    @classmethod
    def of(cls, error: VenomError) -> Reason:
        """The reason that a raised refusal stands for."""
        return cls(error.code, error.message, error.fix)

    def record(self) -> ReasonRecord:
        return {
            "code": self.code,
            "message": self.message,
            "fix": self.fix,
            "docs": f"{STATES_DOCS}#{self.code}",
        }


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of ``Provider.health``: ``READY``, ``DEGRADED`` (serves, with a caveat) or
    ``UNAVAILABLE``; ``version`` is the upstream's own."""

    status: ProviderStatus
    reason: Reason | None = None
    version: str | None = None
