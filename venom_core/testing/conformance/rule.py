"""A rule of the provider interface: its name, what it needs, and the check."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from venom_core.sdk import law as laws
from venom_core.sdk.spec import Capability

if TYPE_CHECKING:
    from venom_core.testing.conformance.case import Case

Check = Callable[["Case"], Awaitable[None]]


class Broken(AssertionError):
    """A rule is broken; the text is a sentence that says how."""


@dataclass(frozen=True, slots=True)
class Rule:
    """``law`` is the rule in a sentence. It says nothing of a provider without all the capabilities
    of ``needs``, and without one of ``either``. ``check`` raises :class:`Broken` or
    ``NotApplicable``."""

    name: str
    law: str
    needs: tuple[Capability, ...]
    either: tuple[Capability, ...]
    check: Check

    @property
    def docs(self) -> str:
        return f"{laws.RULES_DOCS}#{self.name}"


def rule(*needs: Capability, either: tuple[Capability, ...] = ()) -> Callable[[Check], Rule]:
    """Make a rule of a function: its name is the function's, its law the first paragraph of the
    docstring."""

    def make(check: Check) -> Rule:
        law = (inspect.getdoc(check) or "").split("\n\n")[0]
        name: str = check.__name__
        if name in laws.RULES:
            raise TypeError(f"{name} is a rule that the core keeps too: take it from there")
        return Rule(name, " ".join(law.split()), needs, either, check)

    return make


def kept(
    of: laws.Rule, *needs: Capability, either: tuple[Capability, ...] = ()
) -> Callable[[Check], Rule]:
    """Make a rule of a function that tries one of those that the core keeps at run time."""
    return lambda check: Rule(of.name, of.promise, needs, either, check)


def require(condition: object, sentence: str) -> None:
    """Raise :class:`Broken` with the sentence where the condition is false."""
    if not condition:
        raise Broken(sentence)
