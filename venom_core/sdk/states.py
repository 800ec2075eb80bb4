"""States of plugins and providers, and the reason that goes with each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal

from venom_core.sdk.errors import Unavailable, VenomError, class_of

if TYPE_CHECKING:
    from venom_core.sdk.records import ReasonRecord

STATES_DOCS = "/docs/plugins/states"

#: The labels of the states below, as answers show them; a test holds the two together.
PluginStateLabel = Literal["discovered", "disabled", "incompatible", "failed", "loaded"]
ProviderStatusLabel = Literal[
    "idle", "opening", "ready", "degraded", "unavailable", "failed", "disabled"
]


class PluginState(Enum):
    """The state of an installed plugin. ``recoverable``: a retry without an install may help."""

    DISCOVERED = ("discovered", True)
    DISABLED = ("disabled", True)
    INCOMPATIBLE = ("incompatible", False)
    FAILED = ("failed", True)
    LOADED = ("loaded", False)

    def __init__(self, label: PluginStateLabel, recoverable: bool) -> None:
        self.label = label
        self.recoverable = recoverable


class ProviderStatus(Enum):
    """The state of a provider of a loaded plugin."""

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


class Reason:
    """Why something is not as wished: a view of the refusal, which is kept whole.

    ``Reason("ollama_down", "Ollama is down.", "Start it: ollama serve")`` is a state's own reason:
    whoever asks all the same gets ``Unavailable`` with these words, or the class that owns the
    code. :meth:`of` keeps a refusal that was raised.
    """

    __slots__ = ("_error",)

    _error: VenomError

    def __init__(self, code: str, message: str, fix: str | None = None) -> None:
        kind = class_of(code)
        if kind is VenomError:
            kind = Unavailable
        docs = f"{STATES_DOCS}#{code}"
        object.__setattr__(self, "_error", kind(message, fix=fix, code=code, docs=docs))

    @classmethod
    def of(cls, error: VenomError) -> Reason:
        """Return the reason that a raised refusal stands for."""
        reason = cls.__new__(cls)
        object.__setattr__(reason, "_error", error.again())  # without the frames it was raised in
        return reason

    @property
    def code(self) -> str:
        """Return the stable name, for programs."""
        return self._error.code

    @property
    def message(self) -> str:
        """Return the sentence, for people."""
        return self._error.message

    @property
    def fix(self) -> str | None:
        """Return what to do, for people."""
        return self._error.fix

    @property
    def docs(self) -> str:
        """Return the path of the page that explains the code."""
        return self._error.docs

    def error(self, *, retry_after: float | None = None) -> VenomError:
        """Return the refusal, to be raised: a new object each time."""
        return self._error.again(retry_after=retry_after)

    def record(self) -> ReasonRecord:
        """Return it as JSON values."""
        return {"code": self.code, "message": self.message, "fix": self.fix, "docs": self.docs}

    def _key(self) -> tuple[object, ...]:
        """Return what makes two the same; how long to wait still is another number at each look."""
        error = self._error
        return type(error), error.status, error.code, error.message, error.fix, error.param

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reason) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Reason({self.code!r}, {self.message!r}, {self.fix!r})"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a reason is not changed: {name}")


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of ``Provider.health``: ``READY``, ``DEGRADED`` (serves, with a caveat) or
    ``UNAVAILABLE``; ``version`` is the upstream's own."""

    status: ProviderStatus
    reason: Reason | None = None
    version: str | None = None
