"""An engine that spells: a named fake of one that generates, in pure Python.

A token is a byte, so every character beyond ASCII is split over tokens. A chat is answered with the
last message, a prompt is gone on from with itself; ``endless`` in front of it is said for ever,
``fail`` raises, ``refuse`` raises a refusal. An embedding is the lengths of the texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from venom_core.sdk.errors import StorageError, Unavailable
from venom_core.sdk.served_engine import Messages, Sampling, ServedEngine, Token

SPACE = b"\0"


class SpellingEngine(ServedEngine):
    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.name = "speller"
        self.context_length = int(config.get("context_length", 200))
        self.parallel = int(config.get("parallel", 1))
        self.parameters = frozenset({"seed", "temperature", "logprobs", "top_logprobs"})
        self.embed_batch = 2
        self.batches: list[int] = []
        self.seeds: list[int | None] = []
        self.open_answers = 0
        self.inside = 0
        self.closed = False

    def load(self) -> None:
        if self.config.get("broken"):
            raise StorageError("The model is cut short.", code="model_damaged", fix="Copy it.")

    def render(self, messages: Messages, body: Mapping[str, Any]) -> str:
        return str(messages[-1]["content"])

    def encode(self, text: str, *, rendered: bool) -> list[int]:
        return list(text.encode())

    def generate(self, prompt: Sequence[int], sampling: Sampling) -> Iterator[Token]:
        self.open_answers += 1
        self.seeds.append(sampling.seed)
        try:
            text = bytes(prompt)
            if text.startswith(b"refuse"):
                raise Unavailable("It does not want to.", code="unwilling")
            while True:
                for place, byte in enumerate(text):
                    assert self.inside == 0, "two steps at a time"
                    self.inside += 1
                    if text.startswith(b"fail") and place == 5:
                        raise RuntimeError("/srv/secret/path is broken")
                    self.inside -= 1
                    yield Token(byte, bytes([byte]), -0.5, ((bytes([byte]), -0.5), (b"?", -1.0)))
                if not text.startswith(b"endless"):
                    return
        finally:
            self.inside = 0
            self.open_answers -= 1

    def embed(self, inputs: Sequence[Sequence[int]]) -> list[list[float]]:
        self.batches.append(len(inputs))
        return [[float(len(one)), 1.0] for one in inputs]

    def close(self) -> None:
        self.closed = True
