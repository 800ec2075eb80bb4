"""The faults of a provider: a refusal for whoever asked, a line in the log, and the provider's
record."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from venom_core.plugins.breaches import BreachError, Breaches
from venom_core.plugins.engine_packages import is_there, missing_library
from venom_core.sdk import law
from venom_core.sdk.errors import ModelLoading, UpstreamError, UpstreamTimeout, VenomError
from venom_core.sdk.law import Rule
from venom_core.sdk.spec import ProviderSpec
from venom_core.sdk.states import Reason

logger = logging.getLogger(__name__)

#: Seconds after which another try may meet a model that is loaded.
LOADING_SECONDS = 15.0
#: The methods in which a model answers.
ANSWERS = frozenset({"chat", "complete", "embed", "rerank"})


@dataclass(slots=True)
class Faults:
    """The faults of one provider.

    Args:
        spec: its declaration.
        missing: told that a library of its engine is not there.
        breaches: where broken rules are kept.
    """

    spec: ProviderSpec
    missing: Callable[[Reason], None]
    breaches: Breaches
    _gone: tuple[str, Reason] | None = None

    @property
    def gone(self) -> Reason | None:
        """Return the reason for a library that was missing at a call, and still is."""
        return None if self._gone is None or is_there(self._gone[0]) else self._gone[1]

    def late(self, method: str, seconds: float) -> UpstreamTimeout:
        self.breaches.note(law.IN_TIME, method)
        return UpstreamTimeout(
            f"{self.spec.title} did not answer within {seconds:g} s.",
            fix="Try again, or see: venom doctor",
        )

    def loading(self, ref: str, progress: str | None) -> ModelLoading:
        """Return the refusal for an answer that a model's start took all the time of."""
        title = self.spec.title
        message = f"{title} is still loading {ref}."
        if progress is not None:
            message = f"{title} is still loading {ref} ({progress})."
        return ModelLoading(message, retry_after=LOADING_SECONDS)

    def silent(self, method: str, seconds: float) -> UpstreamTimeout:
        self.breaches.note(law.IN_TIME, method)
        return UpstreamTimeout(
            f"{self.spec.title} sent nothing for {seconds:g} s.",
            fix="Try again; larger VENOM_ANSWER_TIMEOUT and VENOM_STALL_TIMEOUT wait longer.",
        )

    def endless(self) -> UpstreamError:
        return UpstreamError(
            f"{self.spec.title} did not end its answer.",
            fix="Limit the answer with max_tokens, or choose another model: venom list",
        )

    def failed(self, method: str, error: BaseException) -> VenomError:
        """Return the refusal for what a method raised or returned, logged once."""
        if isinstance(error, BreachError):
            self.breaches.note(error.rule, method, error.what)
            return error.rule.error(self.spec.title, is_answer=method in ANSWERS)
        self.log(method, error)
        if isinstance(error, ModuleNotFoundError) and error.name:
            gone = missing_library(self.spec, error)
            if gone is not None:
                self._gone = error.name.partition(".")[0], gone
                self.missing(gone)
                return gone.error()
        if isinstance(error, TimeoutError):
            return UpstreamTimeout(
                f"{self.spec.title} ran into a time limit of its own.",
                fix="Try again, or see: venom doctor",
            )
        self.breaches.count(law.ONLY_REFUSALS, method)
        return UpstreamError(
            f"{self.spec.title} failed at this.",
            fix="The server's log has the details; venom doctor checks the provider.",
        )

    def note(self, rule: Rule, method: str, what: str = "") -> None:
        """Note a broken rule that nobody has to be told of."""
        self.breaches.note(rule, method, what)

    def log(self, method: str, error: BaseException) -> None:
        logger.warning("provider %s failed in %s", self.spec.name, method, exc_info=error)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a provider's method. Whoever makes one has it in a local variable ``call``: there
    the watchdog finds it on the stack."""

    faults: Faults
    method: str

    def swallowed(self) -> None:
        """Note that it went on after it was cancelled."""
        self.faults.note(law.LETS_GO, self.method)
