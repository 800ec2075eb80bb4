"""Rules of building models of another format. They change what there is, as fetching does."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace

from venom_core.sdk.errors import Conflict, InvalidRequest
from venom_core.sdk.provider import BuildProgress, BuildRequest, PullPlan
from venom_core.sdk.spec import Capability
from venom_core.testing.conformance.case import Case, refusal, told
from venom_core.testing.conformance.rule import Broken, require, rule
from venom_core.testing.conformance.subject import NotApplicable

BUILD = Capability.BUILD
_STATES = ("building", "completed")
#: What the one build of an examination leaves for its rules.
_REF, _STEPS = "build.ref", "build.steps"


@rule(BUILD)
async def unbuildable_folders_are_refused(case: Case) -> None:
    """A plan for a folder that holds no model raises ``InvalidRequest``, and leaves nothing."""
    request, provider = _request(case), await case.provider()
    before = await _installed(case)
    empty = replace(request, folder=case.folder / "empty", source=f"{request.source}-empty")
    empty.folder.mkdir(exist_ok=True)

    async def plan() -> None:
        await provider.plan_build(empty)

    error = await refusal("A plan for a folder without a model", plan)
    require(
        isinstance(error, InvalidRequest),
        f"A plan for a folder without a model raises {type(error).__name__} ({told(error)}).",
    )
    require(await _installed(case) == before, "A plan that was refused changed what is listed.")


@rule(BUILD)
async def leaving_a_build_stops_it(case: Case) -> None:
    """Closing a build ends it, and its model is not listed; ``forget_build`` deletes what it left,
    and does nothing where there is nothing."""
    request, provider = _request(case), await case.provider()
    ref = (await provider.plan_build(request)).ref
    steps = provider.build(request)
    await anext(steps)
    await steps.aclose()
    require(
        provider.canonical(ref) not in await _installed(case),
        f"The build of {ref!r} was left, and it is listed.",
    )
    for _ in range(2):
        try:
            await provider.forget_build(request)
        except Exception as error:
            raise Broken(f"forget_build raises {told(error)}.") from error
    again = (await provider.plan_build(request)).ref
    require(again == ref, f"The same build is planned as {ref!r} and then as {again!r}.")


@rule(BUILD)
async def build_progress_only_grows(case: Case) -> None:
    """The percent of a build never falls and is at most 100; its last step, and no other, is
    ``completed``."""
    steps = [step for step, _ in await _built(case)]
    require(steps, "The build has no step.")
    before = 0
    for step in steps:
        require(isinstance(step, BuildProgress), f"build yields a {type(step).__name__}.")
        require(step.status in _STATES, f"A build cannot be {step.status!r}.")
        require(step.percent >= before, f"The percent falls from {before} to {step.percent}.")
        require(step.percent <= 100, f"{step.percent} percent cannot be.")
        before = step.percent
    words = [step.status for step in steps]
    require(words[-1] == "completed", f"The last step of the build is {words[-1]!r}.")
    require(words.count("completed") == 1, "The build is completed more than once.")


@rule(BUILD)
async def built_models_are_listed(case: Case) -> None:
    """The name of ``plan_build`` is listed as installed once the build is completed, and not
    before; a plan for what is there already raises ``Conflict``."""
    request, provider = _request(case), await case.provider()
    steps, ref = await _built(case), case.known[_REF]
    for step, listed in steps:
        early = listed and step.status != "completed"
        require(not early, f"{ref!r} is listed while it is being built.")
    require(ref in await _installed(case), f"{ref!r} was built, and it is not listed.")

    async def plan_again() -> None:
        await provider.plan_build(request)

    error = await refusal("A plan for what is built already", plan_again)
    require(
        isinstance(error, Conflict),
        f"A plan for what is built already raises {type(error).__name__} ({told(error)}).",
    )


def _request(case: Case) -> BuildRequest:
    if case.subject.build is None:
        raise NotApplicable("The trial has nothing that can be built from.")
    return case.subject.build


async def _built(case: Case) -> Sequence[tuple[BuildProgress, bool]]:
    """Build once, for the rules that look at it: each step, and whether the result was listed."""
    if _STEPS not in case.known:
        request, provider = _request(case), await case.provider()
        plan = await provider.plan_build(request)
        require(isinstance(plan, PullPlan), f"plan_build returns a {type(plan).__name__}.")
        case.known[_REF] = provider.canonical(plan.ref)
        async with contextlib.aclosing(provider.build(request)) as steps:
            case.known[_STEPS] = [
                (step, case.known[_REF] in await _installed(case)) async for step in steps
            ]
    known: Sequence[tuple[BuildProgress, bool]] = case.known[_STEPS]
    return known


async def _installed(case: Case) -> set[str]:
    provider = await case.provider()
    return {provider.canonical(one.ref) for one in await provider.models() if one.installed}
