"""One model's turn: it is asked the questions through the one door, and its answers are timed."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
import tomllib
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from venom_core.chat.service import ChatCall, ChatService
from venom_core.chat.stream import Account
from venom_core.models.memory import ModelMemory
from venom_core.models.registry import ListedModel
from venom_core.sdk.errors import UpstreamTimeout
from venom_core.store.audit import Actor
from venom_core.usecases.benchmark.views import BenchmarkResult
from venom_core.usecases.engines import EngineUseCases

ASKED: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("questions.toml").read_text(encoding="utf-8")
)
QUESTIONS: list[str] = ASKED["questions"]
#: Seconds that one model may take for all of its questions.
MODEL_SECONDS = 900.0


class Examiner:
    """Asks one model after another.

    Args:
        step: called after each answer.
    """

    def __init__(
        self,
        chat: ChatService,
        memory: ModelMemory,
        engines: EngineUseCases,
        questions: int,
        actor: Actor,
        step: Callable[[], None],
    ) -> None:
        self._chat = chat
        self._memory = memory
        self._engines = engines
        self._questions = QUESTIONS[:questions]
        self._actor = actor
        self._step = step

    async def examine(self, item: ListedModel, result: BenchmarkResult) -> None:
        """Ask a model everything and write what is measured into ``result`` as it comes. Raises
        what an answer is refused with, and ``UpstreamTimeout`` (``benchmark_timeout``)."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(MODEL_SECONDS):
                await self._ask_all(item, result)
                result["memory_bytes"] = await self._memory_of(item)
        except TimeoutError:
            raise UpstreamTimeout(
                f"{item.reference} took longer than {MODEL_SECONDS:.0f} seconds.",
                code="benchmark_timeout",
                fix="Measure it with fewer questions, or a smaller model.",
            ) from None
        finally:
            result["total_duration_ms"] = (time.monotonic() - began) * 1000

    async def _ask_all(self, item: ListedModel, result: BenchmarkResult) -> None:
        # Whether the model was in memory already would decide the first answer.
        result["load_ms"] = (await self._ask(item, self._questions[0])).ttft_ms
        self._step()
        first: list[float] = []
        rates: list[float] = []
        for question in self._questions:
            account = await self._ask(item, question)
            if account.ttft_ms is not None:
                first.append(account.ttft_ms)
            if account.tokens_per_second is not None:
                rates.append(account.tokens_per_second)
            usage = account.usage
            result["completion_tokens"] += (
                account.pieces if usage is None else (usage.completion_tokens)
            )
            result["questions_tested"] += 1
            result["time_to_first_token_ms"] = statistics.median(first) if first else None
            result["tokens_per_second"] = statistics.median(rates) if rates else None
            self._step()

    async def _ask(self, item: ListedModel, question: str) -> Account:
        known = self._chat.host.specs()[item.provider]
        wanted = {"temperature": 0, "max_tokens": ASKED["tokens"]}
        body: dict[str, Any] = {
            "messages": [{"role": "user", "content": question}],
            **{name: value for name, value in wanted.items() if name in known.parameters},
        }
        call = ChatCall(
            item.reference, body, request_id=f"benchmark-{uuid.uuid4().hex[:12]}", stream=True,
            key_id=self._actor.key_id,
        )  # fmt: skip
        stream = await self._chat.open(call)
        async with contextlib.aclosing(stream.frames()) as frames:
            async for _ in frames:
                pass
        return stream.account

    async def _memory_of(self, item: ListedModel) -> int | None:
        """Return what its engine holds, else what its provider says that the model takes."""
        if item.model.runs_at is not None:
            return None
        for engine in (await self._engines.listing())["engines"]:
            if engine["reference"] == item.reference and engine["memory_bytes"]:
                return engine["memory_bytes"]
        loaded = await self._memory.loaded()
        return next(
            (one.model.size_bytes for one in loaded if one.reference == item.reference), None
        )
