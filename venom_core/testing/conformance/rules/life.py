"""Rules of a provider's life: making, opening, telling its health, closing."""

from __future__ import annotations

import asyncio
import contextlib
import functools

import psutil

from venom_core.sdk import law
from venom_core.sdk.catalogue import SearchFilters
from venom_core.sdk.errors import Unavailable, VenomError
from venom_core.sdk.messages import EmbedRequest
from venom_core.sdk.provider import Provider
from venom_core.sdk.spec import Capability
from venom_core.sdk.states import Health, ProviderStatus
from venom_core.testing.conformance.case import Case, refusal, told
from venom_core.testing.conformance.rule import Broken, kept, require, rule
from venom_core.testing.deadlines import patience, until
from venom_core.testing.network import no_network

#: Seconds within which a provider tells its health.
HEALTH_SECONDS = 2.0
#: The same for a listing.
LIST_SECONDS = 3.0
_TOLD = (ProviderStatus.READY, ProviderStatus.DEGRADED, ProviderStatus.UNAVAILABLE)
_NO_UPSTREAM = "The trial names no settings under which nothing answers."


@rule()
async def making_does_nothing(case: Case) -> None:
    """Making the provider object does no input or output and starts nothing."""
    folder, before = case.context().data_dir, asyncio.all_tasks()
    children, was_there = _children(), folder.exists()
    with no_network(loopback=False) as guard:
        try:
            case.new()
        except Exception as error:
            raise Broken(f"The class cannot be made: {told(error)}") from error
    require(not guard.tried, f"Making it connects to {', '.join(guard.tried)}.")
    require(not asyncio.all_tasks() - before, "Making it starts a task.")
    require(not _children() - children, "Making it starts a process.")
    require(was_there or not folder.exists(), "Making it writes into its data folder.")


@rule()
async def open_and_close_repeat(case: Case) -> None:
    """Opening an open provider does nothing, and so does closing one that is closed or never was
    opened."""
    provider = case.new()
    steps = ("close", "close"), ("open", "open", "close", "close")
    for step in (one for way in steps for one in way):
        try:
            await getattr(provider, step)()
        except Exception as error:
            raise Broken(f"{step} a second time raises {told(error)}.") from error


@rule()
async def closing_leaves_nothing(case: Case) -> None:
    """Behind ``close`` no task, process or asynchronous generator of the provider's goes on."""
    tasks, children = asyncio.all_tasks(), _children()
    async with case.opened() as provider:
        await provider.health()
        await provider.models()
        if case.has(Capability.CHAT):
            await case.frames(Capability.CHAT, case.request(case.ask_of(Capability.CHAT)), provider)
    with contextlib.suppress(TimeoutError):
        await until(lambda: not asyncio.all_tasks() - tasks, 2)
    left = [task.get_name() for task in asyncio.all_tasks() - tasks]
    require(not left, f"{len(left)} of its tasks go on behind close: {', '.join(left)}.")
    with contextlib.suppress(TimeoutError):
        await until(lambda: not _children() - children, 2)
    require(not _children() - children, "A process of its own goes on behind close.")


@rule()
async def health_is_told(case: Case) -> None:
    """``health`` answers with a ``Health`` and never raises; one that is not ready has a reason
    with a fix."""
    _sound(await _health(await case.provider()))


@kept(law.IN_TIME)
async def in_time(case: Case) -> None:
    """Wait for each of the quick answers."""
    provider = await case.provider()
    waits = {"health": HEALTH_SECONDS, "models": LIST_SECONDS}
    if case.has(Capability.PS):
        waits["ps"] = LIST_SECONDS
    for verb, seconds in waits.items():
        try:
            async with asyncio.timeout(patience(seconds)):
                await getattr(provider, verb)()
        except TimeoutError as error:
            raise Broken(f"{verb} does not answer within {seconds:g} seconds.") from error


@rule()
async def unreachable_is_a_state(case: Case) -> None:
    """The provider opens although nothing answers behind it, and its health says so with a
    fix."""
    settings = case.wanted("unreachable", _NO_UPSTREAM)
    try:
        async with case.opened(settings) as provider:
            with contextlib.suppress(VenomError):  # some learn of it only when they ask
                await provider.models()
            if case.has(Capability.SEARCH):
                with contextlib.suppress(VenomError):
                    await provider.trending(1)
            health = await _health(provider)
    except Unavailable as error:
        raise Broken(f"It does not open: {told(error)}") from error
    require(
        health.status is not ProviderStatus.READY,
        "Its health is ready while nothing answers behind it.",
    )
    _sound(health)


@rule()
async def unreachable_is_refused_with_a_fix(case: Case) -> None:
    """Whatever is asked while nothing answers is refused as ``Unavailable``, with what to do."""
    settings = case.wanted("unreachable", _NO_UPSTREAM)
    async with case.opened(settings) as provider:
        with contextlib.suppress(VenomError):
            await provider.models()
        for verb in (Capability.CHAT, Capability.COMPLETE, Capability.EMBED):
            if case.has(verb):
                use = functools.partial(_use, case, verb, provider)
                _is_unavailable(verb.value, await refusal(f"{verb.value} without its engine", use))
        if case.has(Capability.SEARCH):
            search = functools.partial(provider.search, "a", SearchFilters(), 1, 1)
            _is_unavailable("search", await refusal("search without its source", search))


def _is_unavailable(what: str, error: VenomError) -> None:
    require(
        isinstance(error, Unavailable),
        f"{what} raises {type(error).__name__} ({told(error)}) while nothing answers, and not"
        " Unavailable.",
    )
    require(error.fix, f"{what} says nothing of what to do while nothing answers.")


async def _use(case: Case, verb: Capability, provider: Provider) -> None:
    ask = case.ask_of(verb)
    if verb is Capability.EMBED:
        await provider.embed(EmbedRequest(ask.model, tuple(ask.body["input"]), "conformance"))
    else:
        await case.frames(verb, case.request(ask), provider)


async def _health(provider: Provider) -> Health:
    try:
        health = await provider.health()
    except Exception as error:
        raise Broken(f"health raises {told(error)}.") from error
    require(isinstance(health, Health), f"health returns a {type(health).__name__}.")
    return health


def _sound(health: Health) -> None:
    status, reason = health.status, health.reason
    require(
        status in _TOLD,
        f"health says {getattr(status, 'label', status)}, which is the core's own word.",
    )
    if status is not ProviderStatus.READY:
        require(reason is not None, f"health says {status.label} and gives no reason.")
        assert reason is not None
        require(reason.message, f"The reason {reason.code} has no sentence.")
        require(reason.fix, f"The reason {reason.code} has no fix: what is to be done?")


def _children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}
