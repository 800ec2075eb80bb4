"""A server of the OpenAI wire as the upstream of a trial: the scripted engine, looked into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from venom_core.sdk.provider import Provider
from venom_core.sdk.spec import SettingValue
from venom_core.testing.conformance.subject import Ask, Subject, Upstream
from venom_core.testing.engine import Reply, ScriptedEngine

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
#: One pixel.
IMAGE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwACh"
    "wGA60e6kgAAAABJRU5ErkJggg=="
)


class OpenAIUpstream(Upstream):
    """Lets a scripted engine wait, break off and refuse, and tells what it was sent."""

    def __init__(self, engine: ScriptedEngine) -> None:
        self.engine = engine

    async def serving(self, provider: Provider) -> int:
        return self.engine.serving

    async def received(self) -> Mapping[str, Any]:
        bodies = [body for _, _, body in self.engine.requests if isinstance(body, Mapping)]
        return bodies[-1] if bodies else {}

    async def hold(self) -> None:
        self.engine.once = [lambda usual: replace(usual, chunks=usual.chunks[:1], fault="stall")]

    async def break_off(self) -> None:
        self.engine.once = [
            lambda usual: replace(usual, chunks=[*_begun(usual)], fault="eof"),
        ]

    async def refuse(self, status: int, words: str) -> None:
        self.engine.once = [Reply([words.encode()], status)]


def _begun(usual: Reply) -> list[bytes]:
    """Return the first piece of a stream, or half of what comes as one."""
    if len(usual.chunks) > 1:
        return list(usual.chunks[:1])
    return [chunk[: len(chunk) // 2] for chunk in usual.chunks]


def subject_over(
    engine: ScriptedEngine,
    *,
    settings: Mapping[str, SettingValue],
    unreachable: Mapping[str, SettingValue] | None = None,
) -> Subject:
    """Return the subject of a provider over an engine that speaks
    (:mod:`venom_core.testing.speaking`): everything that can be asked of one.

    Args:
        settings: lead the provider to ``engine.url``.
        unreachable: lead it to where nothing answers.
    """
    model = engine.models[0]
    question = {"role": "user", "content": "Say hello."}
    picture = {"type": "image_url", "image_url": {"url": IMAGE}}
    return Subject(
        settings=settings,
        unreachable=unreachable,
        upstream=OpenAIUpstream(engine),
        chat=Ask(model),
        complete=Ask(model),
        embed=Ask(model),
        too_long=Ask(model, {"messages": [{"role": "user", "content": "word " * 400}]}),
        stop=Ask(model, {"messages": [question], "stop": [" holds"]}),
        tools=Ask(model, {"messages": [question], "tools": [TOOL]}),
        image=Ask(model, {"messages": [{"role": "user", "content": [picture]}]}),
        reasoning=Ask(model, {"messages": [question], "reasoning_effort": "low"}),
    )
