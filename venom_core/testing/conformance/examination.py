"""Examining a provider: each rule is applied, and what became of it is written down."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypedDict

from venom_core.sdk.errors import VenomError
from venom_core.sdk.law import RULES_DOCS
from venom_core.sdk.records import ReasonRecord
from venom_core.testing.conformance.case import Case, told
from venom_core.testing.conformance.rule import Broken, Rule
from venom_core.testing.conformance.rules import RULES
from venom_core.testing.conformance.subject import NotApplicable, Trial
from venom_core.testing.deadlines import patience
from venom_core.testing.network import NetworkGuard, no_network
from venom_core.testing.surroundings import own_home

State = Literal["passed", "failed", "skipped"]


class RuleRecord(TypedDict):
    """One rule of a report as JSON."""

    rule: str
    outcome: State
    message: str | None
    docs: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A rule and what became of it. ``said`` is why it failed or was skipped, a sentence."""

    rule: Rule
    state: State
    said: str | None = None

    def record(self) -> RuleRecord:
        return {
            "rule": self.rule.name,
            "outcome": self.state,
            "message": self.said,
            "docs": self.rule.docs,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The examination of one provider.

    Args:
        provider: its name; None where its manifest does not tell.
        engine: what the answers came from.
        outcomes: by rule; empty where the examination could not begin.
        problem: why it could not.
    """

    provider: str | None
    engine: str | None
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    problem: ReasonRecord | None = None

    @property
    def certified(self) -> bool:
        """Return whether every rule holds that says something of this provider."""
        states = [one.state for one in self.outcomes.values()]
        return self.problem is None and "failed" not in states and "passed" in states

    def failures(self) -> list[Outcome]:
        return [one for one in self.outcomes.values() if one.state == "failed"]


async def examine(trial: Trial, folder: Path, names: Collection[str] | None = None) -> Report:
    """Examine a provider in a folder of its own.

    Args:
        names: of the rules to apply; None applies all.
    """
    wanted = [one for one in RULES.values() if names is None or one.name in names]
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(own_home(folder))
        try:
            subject = await stack.enter_async_context(trial.prepare(folder))
            guard = NetworkGuard()
            if not subject.elsewhere:
                guard = stack.enter_context(no_network())
            case = Case(trial, subject, folder, guard)
        except Broken as error:
            return Report(trial.provider, trial.engine, problem=_problem("bad_trial", str(error)))
        except VenomError as error:
            record = error.record()
            problem: ReasonRecord = {
                "code": record["code"],
                "message": record["message"],
                "fix": record["fix"],
                "docs": record["docs"],
            }
            return Report(trial.provider, trial.engine, problem=problem)
        outcomes: dict[str, Outcome] = {}
        try:
            for one in wanted:
                outcomes[one.name] = await _apply(one, case)
        finally:
            await case.close()
        return Report(case.spec.name, trial.engine, outcomes)


def examine_here(trial: Trial, folder: Path, names: Collection[str] | None = None) -> Report:
    """Examine a provider on an event loop of its own; for tests and commands that have none."""
    folder.mkdir(parents=True, exist_ok=True)
    with asyncio.Runner() as runner:
        return runner.run(examine(trial, folder, names))


async def _apply(rule: Rule, case: Case) -> Outcome:
    said = [ability.value for ability in rule.needs if not case.has(ability)]
    if said:
        whose = "This trial examines" if case.trial.part else "The provider declares"
        return Outcome(rule, "skipped", f"{whose} no {' and no '.join(said)}.")
    if rule.either and not any(map(case.has, rule.either)):
        names = " nor ".join(ability.value for ability in rule.either)
        return Outcome(rule, "skipped", f"The provider declares neither {names}.")
    seconds = patience(case.subject.seconds)
    try:
        async with asyncio.timeout(seconds):
            await rule.check(case)
    except NotApplicable as reason:
        return Outcome(rule, "skipped", str(reason))
    except Broken as broken:
        return Outcome(rule, "failed", str(broken))
    except TimeoutError:
        return Outcome(rule, "failed", f"It had not ended after {seconds:.0f} s.")
    except Exception as error:  # whatever a plugin raises
        return Outcome(rule, "failed", f"It raised {told(error)}.")
    return Outcome(rule, "passed")


def _problem(code: str, message: str) -> ReasonRecord:
    fix = "Correct the trial; the page of the kit shows one."
    return {"code": code, "message": message, "fix": fix, "docs": RULES_DOCS}
