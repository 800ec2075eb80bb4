"""The class that an author writes to put a Python engine behind the OpenAI wire.

:mod:`venom_core.sdk.engine_server` does everything else: it listens, checks keys and bodies,
queues, streams, cuts at stop strings and counts. Standard library only: this runs in the engine's
own interpreter, which need not have anything of Venom's installed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from venom_core.sdk.errors import ModelNotCapable

#: Each message is ``{"role": ..., "content": ...}`` and what else the client sent; the content is
#: one text.
Messages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Sampling:
    """The way in which the next token is chosen; None where the request leaves it to the engine.

    Only fields that the engine names in :attr:`ServedEngine.parameters` are ever set. Stop strings
    and the length of the answer are the server's work.

    Args:
        logprobs: how many alternatives each token is wanted with; 0 is the token's own alone.
        more: whatever else of the request the engine declares, as the client sent it.
    """

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    logit_bias: Mapping[int, float] | None = None
    logprobs: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Token:
    """One generated token; never the one that ends the answer.

    Args:
        text: what it adds. As ``bytes`` it may be part of a character: the server joins them. As
            ``str`` it is whole characters, and empty while one is not whole yet; see
            :class:`~venom_core.sdk.text_pieces.Characters`.
        logprob: natural logarithm of its probability, where the runtime tells.
        top: the likeliest tokens, each as (text, logprob), the likeliest first.
    """

    id: int
    text: str | bytes
    logprob: float | None = None
    top: tuple[tuple[str | bytes, float], ...] = ()


class ServedEngine(ABC):
    """One model in memory.

    Made with the configuration that its provider wrote, then :meth:`load` once, then used from
    several threads, **never two at a time**: the server hands out turns, one token each.

    A method raises a refusal of :mod:`venom_core.sdk.errors`; whatever else it raises is
    ``upstream_error`` to the client and a traceback in the log.

    Attributes:
        name: the model's name on this wire; set it before ``load`` returns.
        context_length: tokens of prompt and answer together.
        parameters: names of the request fields that are honoured beside ``max_tokens``, ``stop``
            and ``n``; any other is refused.
        parallel: answers that are generated at a time, each taking its turn.
        embed_length: tokens of one text to embed; ``context_length`` where not set.
        embed_batch: texts that :meth:`embed` gets at a time.
    """

    name: str = ""
    context_length: int = 0
    parameters: frozenset[str] = frozenset()
    parallel: int = 1
    embed_length: int | None = None
    embed_batch: int = 16

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config

    @abstractmethod
    def load(self) -> None:
        """Bring the model into memory. A refusal raised here is what the user is told."""

    def render(self, messages: Messages, body: Mapping[str, Any]) -> str:
        """Return the prompt that these messages make by the model's own template. Where the last
        one is the assistant's, the answer goes on from it.

        Args:
            body: the whole request. Its ``tools``, where :attr:`parameters` has them, are for the
                template to show; the provider turns answers into calls
                (:func:`~venom_core.sdk.tool_emulation.with_tools`).
        """
        self._cannot("chat")

    def encode(self, text: str, *, rendered: bool) -> list[int]:
        """Return the tokens of a text.

        Args:
            rendered: the text came from :meth:`render`, so the template wrote its special tokens.
        """
        self._cannot("text")

    def generate(self, prompt: Sequence[int], sampling: Sampling) -> Iterator[Token]:
        """Yield tokens until the model ends its answer. The server closes the generator where it
        wants no more: at a stop string, at the limit, when the client is gone."""
        self._cannot("text")

    def embed(self, inputs: Sequence[Sequence[int]]) -> list[list[float]]:
        """Return one vector for each text."""
        self._cannot("embeddings")

    def close(self) -> None:
        """Let go of the model; called once at the end, when nothing is being generated."""

    def _cannot(self, what: str) -> NoReturn:
        raise ModelNotCapable(
            f"{self.name} has no {what}.", param="model", fix="Choose another model: venom list"
        )


def embedded_by_length(
    inputs: Sequence[Sequence[int]],
    compute: Callable[[Sequence[Sequence[int]]], list[list[float]]],
) -> list[list[float]]:
    """Return one vector for each text, each computed with others of its own length only: without
    padding a vector is the same in whatever company its text comes.

    Args:
        compute: returns the vectors of texts of one length.
    """
    alike: dict[int, list[int]] = {}
    for place, tokens in enumerate(inputs):
        alike.setdefault(len(tokens), []).append(place)
    found: list[list[float]] = [[]] * len(inputs)
    for places in alike.values():
        vectors = compute([inputs[place] for place in places])
        for place, vector in zip(places, vectors, strict=True):
            found[place] = vector
    return found
