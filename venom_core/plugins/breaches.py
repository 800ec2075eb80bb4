"""The rules of :mod:`venom_core.sdk.law` that a provider has broken since it was opened."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from typing_extensions import TypedDict

from venom_core.sdk import law
from venom_core.sdk.declared import other_type
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.sdk.law import Rule
from venom_core.sdk.printable import one_line

logger = logging.getLogger(__name__)

#: Rules in methods; there are fewer.
MOST_BREACHES = 500
#: What is told of each of them in the log.
MOST_SAID = 20
_LONGEST = 300


class BreachError(Exception):
    """A provider broke a rule in a way that cannot be mended.

    Args:
        what: what exactly, a sentence without the provider's own words.
    """

    def __init__(self, rule: Rule, what: str = "") -> None:
        super().__init__(what or rule.breach)
        self.rule = rule
        self.what = what


def undeclared(value: object, kind: str) -> BreachError:
    """Return the breach of what was returned in the place of a ``kind``; a coroutine, which nobody
    would await any more, is closed."""
    if inspect.iscoroutine(value):
        value.close()
    return BreachError(law.DECLARED_TYPES, other_type(value, kind))


class BreachView(TypedDict):
    """``rule`` is the rule's name, ``method`` where it was broken, ``count`` how often; ``message``
    is a sentence, ``docs`` a path."""

    rule: str
    method: str
    count: int
    message: str
    docs: str


@dataclass(slots=True)
class Breach:
    """One rule that one method of a provider has broken, and how often."""

    provider: str
    rule: Rule
    method: str
    count: int = 0
    said: set[str] = field(default_factory=set)

    def event(self) -> ObservedEvent:
        """Return the event that tells observers of it."""
        data = {"provider": self.provider, "rule": self.rule.name, "method": self.method}
        return ObservedEvent("provider.breach", data)

    def record(self) -> BreachView:
        return {
            "rule": self.rule.name,
            "method": self.method,
            "count": self.count,
            "message": self.rule.breach,
            "docs": self.rule.docs,
        }


class Breaches:
    """Breaches of one provider, counted by rule and method; each is logged when it is new.

    Args:
        changed: told of a rule that a method breaks for the first time.
    """

    def __init__(self, provider: str, changed: Callable[[Breach], None] = lambda _: None) -> None:
        self.provider = provider
        self._changed = changed
        self._found: dict[tuple[str, str], Breach] = {}

    def note(self, rule: Rule, method: str, what: str = "") -> None:
        """Count a breach, and log the first of its kind and what is new about a later one."""
        self.count(rule, method)
        breach = self._found.get((rule.name, method))
        what = one_line(what)[:_LONGEST]
        if breach is not None and what not in breach.said and len(breach.said) < MOST_SAID:
            breach.said.add(what)
            more = f" ({what})" if what else ""
            logger.warning(
                "provider %s broke the rule %s in %s: %s%s",
                self.provider, rule.name, method, rule.breach, more,
            )  # fmt: skip

    def count(self, rule: Rule, method: str) -> None:
        """Count a breach."""
        key = rule.name, method
        breach = self._found.get(key)
        if breach is None:
            if len(self._found) >= MOST_BREACHES:
                return
            breach = self._found[key] = Breach(self.provider, rule, method)
        breach.count += 1
        if breach.count == 1:
            self._changed(breach)

    def records(self) -> list[BreachView]:
        """Return every breach, by rule and method."""
        return [self._found[key].record() for key in sorted(self._found)]
