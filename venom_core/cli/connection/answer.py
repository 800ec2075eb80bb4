"""An answer on its way to the terminal, the same from a server and from this process."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from venom_core.cli.wording import words
from venom_core.sdk.frames import Chunk, Usage


@dataclass(slots=True)
class Answer:
    """Iterate :meth:`pieces` once; the figures are whole afterwards.

    Args:
        reference: ``provider://ref`` of the model that answers.
        chunks: the events as they come; raises a ``VenomError`` where the answer breaks off.
        asked_at: when the question was sent, on the monotonic clock.
        because: why this model, where none was named.
        headers: what the server said of the answer beside it.
        origins: where each parameter came from, None where that is not known.
        values: of the parameters, by the names that the request has for them.
        upstream_body: what the provider got, None where that is not known.
    """

    reference: str
    chunks: AsyncIterator[Chunk]
    asked_at: float
    because: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] | None = None
    values: Mapping[str, Any] | None = None
    upstream_body: Mapping[str, Any] | None = None
    content: str = ""
    reasoning: str = ""
    usage: Usage | None = None
    finish_reason: str | None = None
    finish_note: str | None = None
    first_token_at: float | None = None
    ended_at: float | None = None

    @property
    def provider(self) -> str:
        return self.reference.partition("://")[0]

    @property
    def model(self) -> str:
        return self.reference.partition("://")[2]

    @property
    def runs_at(self) -> str | None:
        """Return the host that got the prompt; None where it stayed on this machine."""
        told = {name.lower(): value for name, value in self.headers.items()}
        return told.get("venom-runs-at")

    @property
    def ttft_ms(self) -> float | None:
        """Return the milliseconds from the question to the first token, loading of the model
        included."""
        if self.first_token_at is None:
            return None
        return round((self.first_token_at - self.asked_at) * 1000, 1)

    @property
    def tokens_per_second(self) -> float | None:
        """Return the completion tokens after the first per second since it; None for one token."""
        if self.usage is None or self.first_token_at is None or self.ended_at is None:
            return None
        seconds = self.ended_at - self.first_token_at
        tokens = self.usage.completion_tokens - 1
        return round(tokens / seconds, 1) if tokens > 0 and seconds > 0 else None

    async def pieces(self) -> AsyncGenerator[tuple[str, bool], None]:
        """Yield texts as they come, each with whether it is reasoning and not part of the
        answer."""
        async for chunk in self.chunks:
            if chunk.usage is not None:
                self.usage = chunk.usage
            for choice in chunk.choices:
                self.finish_reason = choice.finish_reason or self.finish_reason
                self.finish_note = choice.finish_note or self.finish_note
                for text, is_reasoning in ((choice.reasoning, True), (choice.content, False)):
                    if not text:
                        continue
                    if self.first_token_at is None:
                        self.first_token_at = time.monotonic()
                    if is_reasoning:
                        self.reasoning += text
                    else:
                        self.content += text
                    yield text, is_reasoning
        self.ended_at = time.monotonic()

    def record(self) -> dict[str, Any]:
        """Return what ``venom run --json`` prints; times in milliseconds, null where not known."""
        usage = self.usage
        return {
            "model": self.model,
            "provider": self.provider,
            "content": self.content,
            "usage": {
                "prompt_tokens": usage.prompt_tokens if usage else None,
                "completion_tokens": usage.completion_tokens if usage else None,
            },
            "ttft_ms": self.ttft_ms,
            "tokens_per_second": self.tokens_per_second,
        }

    def figures(self) -> str:
        """Return a line for people; a figure that is not known is left out."""
        parts = [self.reference]
        if self.ttft_ms is not None:
            parts.append(words(f"first token {self.ttft_ms:.0f} ms"))
        if self.tokens_per_second is not None:
            parts.append(words(f"{self.tokens_per_second:.0f} tokens/s"))
        return " · ".join(parts)
