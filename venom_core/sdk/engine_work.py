"""One request of an engine's server: it is counted, waits for its place, is answered by turns."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

from venom_core.sdk import engine_requests
from venom_core.sdk.engine_answers import ChoiceText, Piece
from venom_core.sdk.engine_requests import Generation
from venom_core.sdk.engine_turns import ClientGone, Turns, ending
from venom_core.sdk.errors import ContextLengthExceeded
from venom_core.sdk.served_engine import Sampling, ServedEngine, Token

Gone = Callable[[], bool]


class Overflow(ContextLengthExceeded):
    """A prompt that does not fit, with the numbers that Venom reads from fields of their own."""

    @classmethod
    def of(cls, needed: int, size: int, param: str) -> Overflow:
        error = cls.counted(needed, size, fix="Shorten it.", param=param)
        error.needed, error.size = needed, size
        return error

    needed: int = 0
    size: int = 0


class Work:
    """The requests of one engine, whoever sends them."""

    def __init__(self, engine: ServedEngine, turns: Turns) -> None:
        self.engine = engine
        self.turns = turns
        self.stopping = False

    def chat_prompt(self, body: dict[str, Any]) -> list[int]:
        """Return the tokens of a conversation. Raises ``ContextLengthExceeded``."""
        turns = engine_requests.messages(body)
        with self.turns.turn():
            tokens = self.engine.encode(self.engine.render(turns, body), rendered=True)
        return self._fitting(tokens, "messages")

    def completion_prompt(self, body: dict[str, Any]) -> list[int]:
        """Return the tokens of a prompt. Raises ``ContextLengthExceeded``."""
        given = engine_requests.prompt(body)
        if isinstance(given, str):
            with self.turns.turn():
                given = self.engine.encode(given, rendered=False)
        return self._fitting(given, "prompt")

    def _fitting(self, tokens: list[int], param: str) -> list[int]:
        size = self.engine.context_length
        if len(tokens) >= size:
            raise Overflow.of(len(tokens), size, param)
        return tokens

    def answer(
        self, asked: Generation, prompt: Sequence[int], gone: Gone, usage: dict[str, int]
    ) -> Generator[Piece, None, None]:
        """Yield the pieces of every choice in order; ``usage`` counts meanwhile.

        Raises ``QueueFull`` before the first one, ``ClientGone`` where ``gone`` says so, and
        ``Unavailable`` where the engine is stopped meanwhile.
        """
        usage |= {"prompt_tokens": len(prompt), "completion_tokens": 0}
        usage["total_tokens"] = len(prompt)
        with self.turns.place(gone):
            try:
                for index in range(asked.choices):
                    sampling = _of_choice(asked.sampling, index)
                    with contextlib.closing(
                        self._choice(asked, sampling, index, prompt, gone, usage)
                    ) as pieces:
                        yield from pieces
            except (ClientGone, GeneratorExit):
                self.turns.figures.cancelled += 1
                raise
            self.turns.figures.finished += 1

    def _choice(
        self,
        asked: Generation,
        sampling: Sampling,
        index: int,
        prompt: Sequence[int],
        gone: Gone,
        usage: dict[str, int],
    ) -> Generator[Piece, None, None]:
        room = self.engine.context_length - len(prompt)
        most = room if asked.most is None else min(asked.most, room)
        text = ChoiceText(index, asked.stops, sampling.logprobs is not None)
        tokens = self.engine.generate(prompt, sampling)
        try:
            for _ in range(most):
                if gone():
                    raise ClientGone
                if self.stopping:
                    raise ending()
                token = self._step(tokens)
                if token is None:
                    yield text.end("stop")
                    return
                usage["completion_tokens"] += 1
                usage["total_tokens"] += 1
                yield text.add(token)
                if text.stopped:
                    yield text.end("stop")
                    return
            yield text.end("length")
        finally:
            with self.turns.turn():
                _close(tokens)

    def _step(self, tokens: Iterator[Token]) -> Token | None:
        with self.turns.turn():
            token = next(tokens, None)
            if token is not None:
                self.turns.figures.generated_tokens += 1
            return token

    def embed(self, body: dict[str, Any], gone: Gone) -> tuple[list[list[float]], int]:
        """Return a vector for each input, and the tokens of all of them.

        Raises ``ContextLengthExceeded`` for the first input that does not fit.
        """
        with self.turns.turn():
            texts = [
                self.engine.encode(one, rendered=False) if isinstance(one, str) else one
                for one in engine_requests.inputs(body)
            ]
        size = self.engine.embed_length or self.engine.context_length
        for place, tokens in enumerate(texts):
            if len(tokens) > size:
                raise Overflow.of(len(tokens), size, f"input[{place}]")
        vectors: list[list[float]] = []
        with self.turns.place(gone):
            for begin in range(0, len(texts), self.engine.embed_batch):
                if gone():
                    raise ClientGone
                with self.turns.turn():
                    vectors += self.engine.embed(texts[begin : begin + self.engine.embed_batch])
        return vectors, sum(map(len, texts))


def _of_choice(sampling: Sampling, index: int) -> Sampling:
    """Return the sampling of one choice of several: with one seed they would all be alike."""
    if sampling.seed is None or index == 0:
        return sampling
    return replace(sampling, seed=sampling.seed + index)


def _close(tokens: Iterator[Token]) -> None:
    close = getattr(tokens, "close", None)
    if close is not None:
        close()
