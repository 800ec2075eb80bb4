"""Rules of what goes wrong, and of clients that leave."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from typing import Any

from venom_core.sdk import law
from venom_core.sdk.errors import UpstreamError, VenomError
from venom_core.sdk.frames import Frame, FrameKind
from venom_core.sdk.provider import Provider
from venom_core.sdk.spec import Capability
from venom_core.testing.conformance.blocking import PackageWatch
from venom_core.testing.conformance.case import SECRET, Case, refusal, told
from venom_core.testing.conformance.rule import Broken, kept, require, rule
from venom_core.testing.conformance.subject import NotApplicable
from venom_core.testing.deadlines import patience, until

CHAT, COMPLETE = Capability.CHAT, Capability.COMPLETE
#: What an engine says when it refuses; a person may be shown the first part, nobody the second.
_WORDS = '{{"error": {{"message": "the engine is out of order {secret}", "code": 500}}}}'


@kept(law.LETS_GO, CHAT)
async def lets_go(case: Case) -> None:
    """Leave a stream by both ways, and ask the engine what it still works for."""
    provider, upstream = await case.provider(), case.subject.upstream
    await upstream.serving(provider)  # skips where nobody can tell
    await _leaves(case, provider, "is closed", _close)
    await _leaves(case, provider, "is cancelled", _cancel)


@rule(CHAT)
async def broken_streams_raise(case: Case) -> None:
    """An upstream that breaks off in mid-answer raises a refusal; its half is never finished."""
    for stream in (True, False):
        await case.subject.upstream.break_off()
        found: list[Frame] = []

        async def read(stream: bool = stream, found: list[Frame] = found) -> None:
            request = case.request(case.ask_of(CHAT), stream=stream)
            provider = await case.provider()
            async with contextlib.aclosing(provider.chat(request)) as frames:
                async for frame in frames:
                    found.append(frame)  # noqa: PERF401 -- kept when it raises

        error = await refusal("An answer whose engine broke off", read)
        require(
            isinstance(error, UpstreamError),
            f"An engine that breaks off is told as {type(error).__name__} ({told(error)}).",
        )
        ends = any(frame.kind & (FrameKind.FINISH | FrameKind.ANSWER) for frame in found)
        require(not ends, "Half an answer is finished as if it were whole.")


@rule(CHAT)
async def refusals_come_before_frames(case: Case) -> None:
    """The first frame comes only after the engine accepted: a refusal is raised, not framed."""
    for stream in (True, False):
        await case.subject.upstream.refuse(500, _WORDS.format(secret=""))

        async def read(stream: bool = stream) -> None:
            request = case.request(case.ask_of(CHAT), stream=stream)
            provider = await case.provider()
            async with contextlib.aclosing(provider.chat(request)) as frames:
                async for frame in frames:
                    raise Broken(f"The engine refused, and there is the frame {frame!r:.80}.")

        await refusal("What the engine refused", read)


@kept(law.ONLY_REFUSALS)
async def only_refusals(case: Case) -> None:
    """Ask for names that are none."""
    provider = await case.provider()
    calls: dict[Capability, Callable[[str], Coroutine[Any, Any, object]]] = {
        Capability.DESCRIBE: provider.describe,
        Capability.LOAD: provider.load,
        Capability.REMOVE: provider.remove,
        Capability.CARD: provider.card,
        Capability.PULL: provider.plan_pull,
    }
    strange = ("", "../../etc/passwd", "a b\n", "x" * 2000, "\u0000", "%2e%2e/x")
    for verb, call in calls.items():
        for ref in strange if case.has(verb) else ():
            try:
                await call(ref)
            except VenomError:
                continue
            except Exception as error:
                raise Broken(f"{verb.value} of {ref!r:.30} raises {told(error)}.") from error
            require(
                verb is Capability.PULL,  # a plan may be made of what only the transfer can tell
                f"{verb.value} of {ref!r:.30} is answered, and there is no such model.",
            )


@rule()
async def secrets_stay_secret(case: Case) -> None:
    """A secret of the settings is in no refusal, no health, no listing and no line of the log."""
    secrets = [one.name for one in case.spec.settings if one.secret]
    if not secrets:
        raise NotApplicable("The provider declares no secret.")
    context = case.context()
    values = {str(context.settings[name]) for name in secrets if context.settings[name]}
    heard: list[str] = []
    with _listening(heard):
        async with case.opened() as provider:
            await provider.models()
            with contextlib.suppress(NotApplicable):
                await case.subject.upstream.refuse(401, _WORDS.format(secret=SECRET))
            await _provoke(case, provider, heard)
        if case.subject.unreachable is not None:
            async with case.opened(case.subject.unreachable) as provider:
                await _provoke(case, provider, heard)
    for text in heard:
        require(not any(value in text for value in values), f"A secret is told in: {text!r:.60}")


@kept(law.NEVER_BLOCKS)
async def never_blocks(case: Case) -> None:
    """Watch the loop while the provider is used."""
    with PackageWatch(case.class_of()) as watch:
        async with case.opened() as provider:
            await provider.health()
            listed = await provider.models()
            if case.has(Capability.DESCRIBE) and listed:
                with contextlib.suppress(VenomError):
                    await provider.describe(listed[0].ref)
            if case.has(CHAT):
                await case.frames(CHAT, case.request(case.ask_of(CHAT)), provider)
        await asyncio.sleep(0)
    require(watch.where is None, f"It keeps the event loop from everything else in {watch.where}.")


@rule()
async def reaches_no_further(case: Case) -> None:
    """In all of this the provider connected to nothing but its own engine."""
    if case.subject.elsewhere:
        raise NotApplicable("What is examined is elsewhere: connections there are its work.")
    await case.provider()
    places = ", ".join(dict.fromkeys(case.guard.tried))
    require(not places, f"It tried to connect to {places}.")


Leave = Callable[[AsyncGenerator[Frame, None]], Coroutine[Any, Any, None]]


async def _leaves(case: Case, provider: Provider, how: str, leave: Leave) -> None:
    upstream = case.subject.upstream
    await upstream.hold()
    before = await upstream.serving(provider)
    long: dict[str, Any] = {"max_tokens": 2000} if "max_tokens" in case.spec.parameters else {}
    await leave(provider.chat(case.request(case.ask_of(CHAT), **long)))
    try:
        async with asyncio.timeout(patience(5)):
            while await upstream.serving(provider) > before:  # noqa: ASYNC110 -- asks another process
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise Broken(f"The engine works on for a stream that {how}.") from error


async def _close(frames: AsyncGenerator[Frame, None]) -> None:
    await anext(frames)
    await frames.aclose()


async def _cancel(frames: AsyncGenerator[Frame, None]) -> None:
    begun = asyncio.Event()

    async def read() -> None:
        async with contextlib.aclosing(frames):
            async for _ in frames:
                begun.set()

    task = asyncio.create_task(read())
    await until(lambda: begun.is_set() or task.done())
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=patience(10))
    require(done, "A task that reads the stream goes on when it is cancelled.")
    require(task.cancelled(), "The stream swallows its cancelling.")


async def _provoke(case: Case, provider: Provider, heard: list[str]) -> None:
    """Ask for what goes wrong, and keep every word that is said of it."""

    async def ask(call: Coroutine[Any, Any, object]) -> None:
        try:
            heard.append(repr(await call))
        except VenomError as error:
            heard.append(f"{error.record()} {error!r}")
        except Exception as error:
            heard.append(repr(error))

    if case.has(CHAT):
        await ask(case.frames(CHAT, case.request(case.ask_of(CHAT)), provider))
    if case.has(Capability.CARD):
        await ask(provider.card(case.subject.unknown))
    if case.has(Capability.PULL):
        await ask(provider.plan_pull(case.subject.unknown))
    await ask(provider.models())
    await ask(provider.health())


@contextlib.contextmanager
def _listening(heard: list[str]) -> Iterator[None]:
    """Keep every line that is logged during the block, with its traceback."""

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(_FORMAT.format(record))

    handler, root = Keep(logging.DEBUG), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


_FORMAT = logging.Formatter("%(name)s %(message)s")
