"""Rules of request parameters: what is declared is honoured, or refused by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from venom_core.sdk.errors import ContextLengthExceeded, InvalidRequest
from venom_core.sdk.frames import Frame
from venom_core.sdk.messages import EmbedRequest
from venom_core.sdk.spec import Capability
from venom_core.testing.conformance.case import Case, refusal, text_of, told
from venom_core.testing.conformance.frames import reasons_of, usages_of
from venom_core.testing.conformance.rule import Broken, require, rule
from venom_core.testing.conformance.subject import Ask, NotApplicable

CHAT = Capability.CHAT
#: A value of each parameter that nothing else in a request has, so that it is found again.
_MARKS: Mapping[str, Any] = {
    "temperature": 0.37,
    "top_p": 0.913,
    "top_k": 37,
    "min_p": 0.0713,
    "repeat_penalty": 1.137,
    "presence_penalty": 0.419,
    "frequency_penalty": 0.523,
    "max_tokens": 19,
    "stop": ["\u2603\u2604"],
    "seed": 471_147,
    "logit_bias": {"15": 1.618},
    "response_format": {"type": "json_object"},
    "reasoning_effort": "low",
}
#: Those whose value an engine may spell in words of its own.
_RESPELT = {"response_format": "json", "reasoning_effort": "low"}


@rule(CHAT)
async def declared_parameters_arrive(case: Case) -> None:
    """Each declared parameter reaches the engine, or is refused with its name in ``param``; none
    is dropped in silence."""
    ask = case.ask_of(CHAT)
    await case.answer(CHAT, stream=True)
    await case.subject.upstream.received()  # skips where nobody can tell
    for name in sorted(case.spec.parameters & set(_MARKS)):
        request = case.request(ask, **{name: _MARKS[name]})
        try:
            await case.frames(CHAT, request)
        except InvalidRequest as error:
            named = (error.param or "").partition("[")[0].partition(".")[0]
            require(named == name, f"{name} is refused without its name in param: {told(error)}")
            continue
        sent = await case.subject.upstream.received()
        require(
            _holds(sent, _RESPELT.get(name, _MARKS[name])),
            f"{name} is declared, and the engine never got it.",
        )


@rule(CHAT)
async def max_tokens_ends_an_answer(case: Case) -> None:
    """An answer that reaches ``max_tokens`` ends for ``length`` and counts no more than that."""
    if "max_tokens" not in case.spec.parameters:
        raise NotApplicable("The provider declares no max_tokens.")
    frames = await case.frames(CHAT, case.request(case.ask_of(CHAT), max_tokens=2))
    reason = reasons_of(frames).get(0)
    require(reason == "length", f"An answer cut by max_tokens ends for {reason!r}.")
    for usage in usages_of(frames):
        require(
            usage.completion_tokens <= 2,
            f"{usage.completion_tokens} tokens were made where 2 were the most.",
        )


@rule(CHAT)
async def stop_strings_end_an_answer(case: Case) -> None:
    """An answer ends before a stop string and for ``stop``; the string itself is not in it."""
    if "stop" not in case.spec.parameters:
        raise NotApplicable("The provider declares no stop.")
    ask: Ask = case.wanted("stop", "The trial has no chat that a stop string ends.")
    wanted = ask.body.get("stop")
    words = [wanted] if isinstance(wanted, str) else list(wanted or ())
    require(words, "The trial's chat for stop strings has none.")
    for stream in (True, False):
        frames = await case.frames(CHAT, case.request(ask, stream=stream))
        text, reason = text_of(frames), reasons_of(frames).get(0)
        require(
            not any(word in text for word in words), f"The stop string is in the text {text!r:.80}."
        )
        require(reason == "stop", f"An answer that a stop string ends, ends for {reason!r}.")


@rule(CHAT)
async def too_long_prompts_are_refused(case: Case) -> None:
    """A prompt longer than the context raises ``ContextLengthExceeded`` before the first frame;
    none is cut."""
    ask: Ask = case.wanted("too_long", "The trial has no prompt that is too long.")
    for stream in (True, False):
        frames: list[Frame] = []

        async def call(stream: bool = stream, frames: list[Frame] = frames) -> None:
            frames += await case.frames(CHAT, case.request(ask, stream=stream))

        error = await refusal("A prompt that is longer than the context", call)
        require(
            isinstance(error, ContextLengthExceeded),
            f"A prompt that is too long raises {type(error).__name__} ({told(error)}) and not"
            " ContextLengthExceeded.",
        )


@rule(CHAT)
async def images_reach_the_engine(case: Case) -> None:
    """An image of a request reaches the engine whole."""
    ask: Ask = case.wanted("image", "The trial has no chat with an image.")
    urls = [
        part["image_url"]["url"]
        for message in ask.body.get("messages", ())
        if isinstance(message.get("content"), list)
        for part in message["content"]
        if part.get("type") == "image_url"
    ]
    require(urls, "The trial's chat for images has none.")
    await case.frames(CHAT, case.request(ask))
    sent = await case.subject.upstream.received()
    data = urls[0].rpartition(",")[2]
    require(_contains(sent, data), "The engine never got the image.")


@rule(Capability.EMBED)
async def dimensions_are_kept(case: Case) -> None:
    """Vectors have as many numbers as ``dimensions`` asks for, or it is refused by its name."""
    if "dimensions" not in case.spec.parameters:
        raise NotApplicable("The provider declares no dimensions.")
    ask = case.ask_of(Capability.EMBED)
    wanted = int(ask.body.get("dimensions", 4))
    text = tuple(ask.body["input"])[:1]
    request = EmbedRequest(ask.model, text, "conformance", wanted)
    try:
        found = await (await case.provider()).embed(request)
    except InvalidRequest as error:
        if error.param != "dimensions":
            raise Broken(f"dimensions is refused without its name: {told(error)}") from error
        return
    got = len(found.vectors[0])
    require(got == wanted, f"{wanted} dimensions were asked for, the vector has {got}.")


def _holds(value: Any, mark: Any) -> bool:
    """Return whether a value occurs anywhere in a body."""
    if value == mark and not isinstance(value, bool):
        return True
    if isinstance(mark, list) and value == mark[0]:
        return True
    if mark == "json" and isinstance(value, str) and value.startswith("json"):
        return True
    if isinstance(value, Mapping):
        return any(_holds(one, mark) for one in value.values())
    if isinstance(value, list | tuple):
        return any(_holds(one, mark) for one in value)
    return False


def _contains(value: Any, text: str) -> bool:
    if isinstance(value, str):
        return text in value
    if isinstance(value, Mapping):
        return any(_contains(one, text) for one in value.values())
    if isinstance(value, list | tuple):
        return any(_contains(one, text) for one in value)
    return False
