"""Rules of fetching and removing models. They come last: they change what there is."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from venom_core.sdk.errors import ModelNotFound, VenomError
from venom_core.sdk.provider import PullPlan, PullProgress
from venom_core.sdk.spec import Capability
from venom_core.testing.conformance.case import Case, refusal, told
from venom_core.testing.conformance.rule import Broken, require, rule

PULL, REMOVE = Capability.PULL, Capability.REMOVE
_NO_PULL = "The trial has no model that can be fetched."
_STATES = ("pulling", "verifying", "writing", "completed")


@rule(PULL)
async def unknown_pulls_are_not_found(case: Case) -> None:
    """Fetching what the source does not have raises ``ModelNotFound``, and leaves nothing."""
    provider, name = await case.provider(), case.subject.unknown

    async def pull() -> None:
        await _steps(case, name)

    error = await refusal("Fetching a model that there is not", pull)
    require(
        isinstance(error, ModelNotFound),
        f"Fetching a model that there is not raises {type(error).__name__} ({told(error)}).",
    )
    require(name not in await _installed(case), "What was never fetched is listed as installed.")
    try:
        await provider.forget_pull(name)
    except Exception as error:
        raise Broken(f"forget_pull where nothing was left raises {told(error)}.") from error


@rule(PULL)
async def leaving_a_pull_stops_it(case: Case) -> None:
    """Closing a pull stops the transfer; a later one can begin again."""
    ref = case.wanted("pull", _NO_PULL)
    provider = await case.provider()
    steps = provider.pull(ref)
    await anext(steps)
    await steps.aclose()
    with contextlib.suppress(VenomError):
        await provider.forget_pull(ref)


@rule(PULL)
async def pull_progress_only_grows(case: Case) -> None:
    """The bytes of a pull never fall and never pass the total; its last step is ``completed``."""
    ref = case.wanted("pull", _NO_PULL)
    steps = await _steps(case, ref)
    require(steps, "The pull has no step.")
    before = 0
    for step in steps:
        done, total = step.bytes_done, step.bytes_total
        require(step.status in _STATES, f"A pull cannot be {step.status!r}.")
        require(done >= before, f"The bytes fall from {before} to {done}.")
        require(total is None or done <= total, f"{done} bytes of {total} cannot be there.")
        before = done
    words = [step.status for step in steps]
    require(words[-1] == "completed", f"The last step of the pull is {words[-1]!r}.")
    require(words.count("completed") == 1, "The pull is completed more than once.")


@rule(PULL)
async def pulled_models_are_listed(case: Case) -> None:
    """The plan of ``plan_pull`` is what the pull brings: the name, and the size where told."""
    ref = case.wanted("pull", _NO_PULL)
    provider = await case.provider()
    plan = await provider.plan_pull(ref)
    require(isinstance(plan, PullPlan), f"plan_pull returns a {type(plan).__name__}.")
    steps = await _steps(case, ref)
    known = plan.bytes_total, steps[-1].bytes_total
    require(
        None in known or known[0] == known[1], f"{known[0]} bytes were planned, {known[1]} came."
    )
    names = await _installed(case)
    require(
        provider.canonical(plan.ref) in names,
        f"{plan.ref!r} was fetched, and it is not among the installed models.",
    )


@rule(REMOVE)
async def removed_models_are_gone(case: Case) -> None:
    """A removed model is not listed as installed; to remove it again raises ``ModelNotFound``."""
    provider = await case.provider()
    ref = case.subject.remove
    if ref is None:
        ref = case.wanted("pull", "The trial has no model that can be removed.")
        if case.has(PULL):
            await _steps(case, ref)
            ref = (await provider.plan_pull(ref)).ref
    await provider.remove(ref)
    require(
        provider.canonical(ref) not in await _installed(case),
        f"{ref!r} was removed, and it is still listed as installed.",
    )
    error = await refusal("Removing it again", lambda: provider.remove(ref))
    require(isinstance(error, ModelNotFound), f"Removing it again raises {type(error).__name__}.")


async def _steps(case: Case, ref: str) -> Sequence[PullProgress]:
    provider = await case.provider()
    async with contextlib.aclosing(provider.pull(ref)) as steps:
        found = [step async for step in steps]
    for one in found:
        require(isinstance(one, PullProgress), f"pull yields a {type(one).__name__}.")
    return found


async def _installed(case: Case) -> set[str]:
    provider = await case.provider()
    return {provider.canonical(one.ref) for one in await provider.models() if one.installed}
