"""The trials of this provider, for ``venom plugins check ollama`` and for the tests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from venom_core.sdk.provider import Provider
from venom_core.testing import Ask, Subject, Upstream, trial
from venom_core.testing.conformance.openai_upstream import IMAGE, TOOL
from venom_core.testing.ollama import CURRENT_VERSION, FakeOllama, load_records

_ANSWERS = ("/api/chat", "/api/generate", "/api/embed")
_HELLO = {
    "messages": [{"role": "user", "content": "Say hello."}],
    "temperature": 0,
    "seed": 42,
    "max_tokens": 16,
}
_PICTURE = {"type": "image_url", "image_url": {"url": IMAGE}}


class _Upstream(Upstream):
    """The fake, through its control paths."""

    def __init__(self, fake: FakeOllama) -> None:
        self._fake = fake

    async def serving(self, provider: Provider) -> int:
        return sum(
            not (one["finished"] or one["client_gone"])
            for one in await self._requests()
            if one["path"] in _ANSWERS
        )

    async def received(self) -> Mapping[str, Any]:
        bodies = [one["body"] for one in await self._requests() if one["path"] in _ANSWERS]
        return bodies[-1] if bodies else {}

    async def hold(self) -> None:
        await self._fault("stall", after_bytes=1)

    async def break_off(self) -> None:
        await self._fault("eof", after_bytes=1)

    async def refuse(self, status: int, words: str) -> None:
        await self._fault("status", status=status, body=words)

    async def _fault(self, kind: str, **details: Any) -> None:
        await asyncio.to_thread(self._fake.fault, "/api/chat", kind, **details)

    async def _requests(self) -> list[dict[str, Any]]:
        return await asyncio.to_thread(self._fake.requests)


@trial("venom_ollama.plugin", engine="records of Ollama 0.24.0")
async def records_0_24(folder: Path) -> AsyncIterator[Subject]:
    """Answer with records of 0.24.0, and remember what was loaded, pulled and deleted."""
    prompt = load_records()["239d_generate_long_prompt"].body["prompt"]
    async with _running() as fake:
        fake.scenario("long_prompt", "two_tool_calls", "thinking")
        fake.settings(keeps=True)
        yield Subject(
            settings={"base_url": fake.url},
            chat=Ask("gemma3:270m", _HELLO),
            complete=Ask("gemma3:270m", {"prompt": "The capital of France is"}),
            embed=Ask("gemma3-embed", {"input": ("hello world", "goodbye"), "dimensions": 8}),
            too_long=Ask("gemma3:270m", {"messages": [{"role": "user", "content": prompt}]}),
            stop=Ask("gemma3:270m", {**_HELLO, "stop": [" mendatang"]}),
            tools=Ask("gemma3-tools", {**_HELLO, "tools": [TOOL]}),
            image=Ask("gemma3:270m", {"messages": [{"role": "user", "content": [_PICTURE]}]}),
            reasoning=Ask("gemma3:270m", {**_HELLO, "reasoning_effort": "high"}),
            pull="gemma3:4b",
            unreachable={"base_url": "127.0.0.1:9"},
            upstream=_Upstream(fake),
        )


@trial("venom_ollama.plugin", engine=f"exchanges of Ollama {CURRENT_VERSION}")
async def exchanges_0_32(folder: Path) -> AsyncIterator[Subject]:
    """Answer as 0.32 did, whose engine is llama-server: a load, a context and an end are others."""
    long = [{"role": "user", "content": "whale " * 5000}]
    async with _running() as fake:
        fake.settings(version=CURRENT_VERSION, keeps=True)
        yield Subject(
            settings={"base_url": fake.url},
            chat=Ask("gemma3:270m"),
            complete=Ask("gemma3:270m"),
            embed=Ask("smol-embed:latest", {"dimensions": 3}),
            too_long=Ask("gemma3:270m", {"messages": long}),
            unreachable={"base_url": "127.0.0.1:9"},
            upstream=_Upstream(fake),
        )


@contextlib.asynccontextmanager
async def _running() -> AsyncIterator[FakeOllama]:
    fake = FakeOllama()
    await asyncio.to_thread(fake.start)
    try:
        yield fake
    finally:
        await asyncio.to_thread(fake.close)
