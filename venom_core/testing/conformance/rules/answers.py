"""Rules of answers: the law of frames, and what stays the same however an answer is asked for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from venom_core.sdk import law
from venom_core.sdk.frames import Answer, Frame, ToolCall, Usage, kind_of
from venom_core.sdk.spec import Capability
from venom_core.testing.conformance.case import Case, text_of
from venom_core.testing.conformance.frames import REASONS, check_views, reasons_of, usages_of
from venom_core.testing.conformance.rule import kept, require, rule
from venom_core.testing.conformance.subject import NotApplicable

CHAT, COMPLETE = Capability.CHAT, Capability.COMPLETE
ANSWERS = (CHAT, COMPLETE)
#: Characters: further on, engines that answer several at a time may round otherwise.
_BEGINNING = 8


@kept(law.FRAMES, either=ANSWERS)
async def frames(case: Case) -> None:
    """Read every frame of both modes."""
    for what, found in await _all(case):
        require(found, f"{what} has no frame.")
        for frame in found:
            said = kind_of(frame.event)
            require(
                frame.kind == said, f"{what}: a frame is called {frame.kind}, it carries {said}."
            )


@kept(law.SHAPE_ASKED_FOR, either=ANSWERS)
async def shape_asked_for(case: Case) -> None:
    """Ask in both modes."""
    for what, found in await _all(case):
        whole = [isinstance(frame.event, Answer) for frame in found]
        if what.endswith("streamed"):
            require(not any(whole), f"{what}: there is a whole answer in the stream.")
        else:
            require(all(whole), f"{what}: it is answered in pieces, and no stream was asked for.")


@kept(law.ONE_ANSWER, either=ANSWERS)
async def one_answer(case: Case) -> None:
    """Count the frames of a whole answer."""
    for what, found in await _all(case, stream=False):
        require(len(found) == 1, f"{what}: {len(found)} frames in the place of one.")
        for choice in found[0].event.choices:
            reason = choice.finish_reason
            require(reason in REASONS, f"{what}: choice {choice.index} ends for {reason!r}.")
        require(found[0].event.choices, f"{what}: the answer has no choice.")


@kept(law.KNOWN_CHOICES, either=ANSWERS)
async def known_choices(case: Case) -> None:
    """Ask for one choice."""
    for what, found in await _all(case):
        strange = {choice.index for frame in found for choice in frame.event.choices} - {0}
        require(not strange, f"{what}: one choice was asked for, and there is {strange}.")


@kept(law.NOTHING_AFTER_FINISH, either=ANSWERS)
async def nothing_after_finish(case: Case) -> None:
    """Read a stream to its end."""
    for what, found in await _all(case, stream=True):
        ended: set[int] = set()
        for frame in found:
            for choice in frame.event.choices:
                more = choice.index in ended and choice.carries_delta
                require(not more, f"{what}: choice {choice.index} goes on behind its finish.")
                if choice.finish_reason is not None:
                    ended.add(choice.index)


@kept(law.ONE_FINISH, either=ANSWERS)
async def one_finish(case: Case) -> None:
    """Count the finishes of a stream."""
    for what, found in await _all(case, stream=True):
        reasons = [
            (choice.index, choice.finish_reason)
            for frame in found
            for choice in frame.event.choices
            if choice.finish_reason is not None
        ]
        twice = len(reasons) != len({index for index, _ in reasons})
        require(not twice, f"{what}: a choice is finished twice: {reasons}.")
        for index, reason in reasons:
            require(reason in REASONS, f"{what}: choice {index} ends for {reason!r}.")


@kept(law.FINISH_EACH_CHOICE, either=ANSWERS)
async def finish_each_choice(case: Case) -> None:
    """Look for the finish of each choice that began."""
    for what, found in await _all(case, stream=True):
        begun = {choice.index for frame in found for choice in frame.event.choices}
        left = begun - set(reasons_of(found)) or ({0} if not begun else set())
        require(not left, f"{what}: choice {sorted(left)} has no finish.")


@kept(law.ONE_USAGE, either=ANSWERS)
async def one_usage(case: Case) -> None:
    """Count the usages of a stream."""
    for what, found in await _all(case, stream=True):
        places = [place for place, frame in enumerate(found) if frame.event.usage is not None]
        require(len(places) < 2, f"{what}: the usage is told {len(places)} times.")
        last = len(found) - 1
        require(not places or places == [last], f"{what}: something stands behind the usage.")


@rule(CHAT)
async def role_comes_first(case: Case) -> None:
    """The first delta of a choice carries ``role="assistant"``."""
    seen: set[int] = set()
    for frame in await case.answer(CHAT, stream=True):
        for choice in frame.event.choices:
            if choice.carries_delta and choice.index not in seen:
                seen.add(choice.index)
                require(choice.role == "assistant", f"The first delta has the role {choice.role}.")


@rule(either=ANSWERS)
async def both_views_are_equal(case: Case) -> None:
    """A frame says the same as an event and as JSON, and names no other model than the request."""
    for what, found in await _all(case):
        check_views(found, what, "completion" if what.startswith("complete") else "chat")


@rule(either=ANSWERS)
async def both_modes_say_the_same(case: Case) -> None:
    """Streamed or not, the same request has the same text and the same end."""
    for verb in ANSWERS:
        if case.has(verb):
            streamed = await case.answer(verb, stream=True)
            whole = await case.answer(verb, stream=False)
            one, other = text_of(streamed), text_of(whole)
            require(one, f"{verb.value}: the answer has no text.")
            require(
                one == other, f"{verb.value}: {one!r:.80} streamed is {other!r:.80} as a whole."
            )
            ends = reasons_of(streamed), reasons_of(whole)
            require(ends[0] == ends[1], f"{verb.value}: it ends for {ends[0]} and for {ends[1]}.")


@rule(CHAT)
async def usage_is_counted(case: Case) -> None:
    """Token counts can be, and are the same in both modes; an answer without any is not
    metered."""
    streamed = list(usages_of(await case.answer(CHAT, stream=True)))
    whole = list(usages_of(await case.answer(CHAT, stream=False)))
    if not streamed and not whole:
        raise NotApplicable("The engine tells no token counts: what it answers is not metered.")
    require(streamed and whole, "Only one of the two modes tells token counts.")
    limit = case.request(case.ask_of(CHAT)).body.get("max_tokens")
    for usage in (*streamed, *whole):
        _can_be(usage, limit)
    require(
        streamed[0].completion_tokens == whole[0].completion_tokens,
        f"The same answer counts {streamed[0].completion_tokens} tokens streamed and"
        f" {whole[0].completion_tokens} whole.",
    )


@rule(CHAT)
async def chats_run_side_by_side(case: Case) -> None:
    """Several requests at a time have each its own answer, which begins as it does alone."""
    request = case.request(case.ask_of(CHAT))
    alone = text_of(await case.answer(CHAT, stream=True))
    together = await asyncio.gather(*(case.frames(CHAT, request) for _ in range(3)))
    for found in together:
        begins = text_of(found)[:_BEGINNING] == alone[:_BEGINNING]
        require(begins, "Beside others the same request has another answer.")
        require(reasons_of(found), "Beside others an answer has no end.")


@rule(CHAT)
async def tool_calls_join(case: Case) -> None:
    """The pieces of a tool call join to one id, one name and JSON arguments, the same as in an
    answer that is not streamed; the answer ends for ``tool_calls``."""
    if "tools" not in case.spec.parameters:
        raise NotApplicable("The provider declares no tools.")
    ask = case.wanted("tools", "The trial has no chat whose answer calls a tool.")
    streamed = await case.frames(CHAT, case.request(ask))
    whole = await case.frames(CHAT, case.request(ask, stream=False))
    check_views([*streamed, *whole], "A tool call", "chat")
    joined, given = _joined(streamed), [_facts(call) for call in _calls(whole)]
    require(joined, "The answer calls no tool.")
    require(joined == given, f"The call is {joined} streamed and {given} whole.")
    for found in (streamed, whole):
        reason = reasons_of(found).get(0)
        require(reason == "tool_calls", f"An answer that calls a tool ends for {reason!r}.")


@rule(CHAT)
async def reasoning_is_apart(case: Case) -> None:
    """Thoughts of a model are in ``reasoning``, in both modes the same, and not in its answer."""
    ask = case.wanted("reasoning", "The trial has no chat whose answer thinks first.")
    if not {"reasoning_effort"} & set(ask.body) <= case.spec.parameters:
        raise NotApplicable("The provider declares no reasoning_effort.")
    streamed = await case.frames(CHAT, case.request(ask))
    whole = await case.frames(CHAT, case.request(ask, stream=False))
    one, other = _thought(streamed), _thought(whole)
    require(one, "The answer has no reasoning.")
    require(one == other, "The reasoning is another one when it is not streamed.")
    text = text_of(streamed)
    require(not text.startswith(one), "The reasoning is said in the answer too.")


async def _all(case: Case, *, stream: bool | None = None) -> list[tuple[str, list[Frame]]]:
    """Return the frames of each kind of answer, with its name."""
    return [
        (f"{verb.value}, {'streamed' if mode else 'whole'}", await case.answer(verb, stream=mode))
        for verb in ANSWERS
        if case.has(verb)
        for mode in ((True, False) if stream is None else (stream,))
    ]


def _can_be(usage: Usage, limit: object) -> None:
    numbers = (usage.prompt_tokens, usage.completion_tokens)
    require(
        all(number > 0 for number in numbers),
        f"{numbers[0]} tokens of prompt and {numbers[1]} of answer cannot be.",
    )
    require(
        not isinstance(limit, int) or usage.completion_tokens <= limit,
        f"{usage.completion_tokens} tokens were made where {limit} were the most.",
    )
    cached = usage.cached_tokens
    require(
        cached is None or 0 <= cached <= usage.prompt_tokens,
        f"{cached} tokens of {usage.prompt_tokens} cannot come from the cache.",
    )


def _calls(found: Sequence[Frame]) -> list[ToolCall]:
    return [call for f in found for choice in f.event.choices for call in choice.tool_calls]


def _joined(found: Sequence[Frame]) -> list[tuple[str | None, object]]:
    """Return each call of a stream, its fragments joined as a client joins them."""
    heads: dict[int, ToolCall] = {}
    pieces: dict[int, str] = {}
    for call in _calls(found):
        if call.index not in heads:
            heads[call.index] = call
            require(call.id and call.name, "The first piece of a call has no id or no name.")
        else:
            same = call.id in (None, heads[call.index].id)
            require(same, "Two calls have the same index.")
        pieces[call.index] = pieces.get(call.index, "") + call.arguments
    return [
        _facts(ToolCall(index, head.id, head.name, pieces[index]))
        for index, head in sorted(heads.items())
    ]


def _facts(call: ToolCall) -> tuple[str | None, object]:
    """Return what a call says; its id is another one each time."""
    try:
        arguments: object = json.loads(call.arguments)
    except ValueError:
        require(False, f"The arguments {call.arguments!r:.60} are no JSON.")
    return call.name, arguments


def _thought(found: Sequence[Frame]) -> str:
    return "".join(choice.reasoning or "" for f in found for choice in f.event.choices)
