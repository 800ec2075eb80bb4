"""The choice of each token: penalties, biases and the schema first, then temperature and what is
too unlikely, by the processors of transformers itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from venom_core.sdk.answer_schema import schema_of
from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.logit_shaping import LogitShaping
from venom_core.sdk.model_refusals import shown
from venom_core.sdk.served_engine import Sampling

if TYPE_CHECKING:
    from venom_hf.engine import TransformersEngine


@dataclass(frozen=True, slots=True)
class Chosen:
    """A token. ``ends``: the schema is followed to its end, and the token is none of the answer."""

    token: int
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()
    ends: bool = False


class Chooser:
    """Chooses the tokens of one answer.

    Raises ``InvalidRequest`` for a schema that cannot be followed.
    """

    def __init__(
        self, engine: TransformersEngine, prompt: Sequence[int], sampling: Sampling
    ) -> None:
        self._torch = engine.torch
        self._sampling = sampling
        self._tokens = list(prompt)
        self._shaping = LogitShaping(sampling)
        self._greedy, self._processors = self._order(engine)
        self._repeat = self._value(engine, sampling.repeat_penalty, "repetition_penalty", 1.0)
        if self._repeat <= 0:
            raise InvalidRequest(
                "The field 'repeat_penalty' is wrong: it is more than 0.", param="repeat_penalty"
            )
        self._random: Any = None
        if sampling.seed is not None:
            self._random = engine.torch.Generator().manual_seed(sampling.seed % (1 << 63))
        schema = schema_of(sampling)
        self._matcher = None if schema is None else _matcher(engine, schema)

    def _value(
        self, engine: TransformersEngine, asked: float | None, name: str, neutral: float
    ) -> float:
        """Return what the request says, else what the model itself does."""
        if asked is not None:
            return asked
        own = engine.own_sampling(name)
        return neutral if own is None else float(own)

    def _order(self, engine: TransformersEngine) -> tuple[bool, list[Any]]:
        """Return whether the likeliest token is taken, and what changes the logits else."""
        from transformers.generation import (
            TemperatureLogitsWarper,
            TopKLogitsWarper,
            TopPLogitsWarper,
        )

        asked, value = self._sampling, self._value
        own = 1.0 if engine.own_sampling("do_sample") else 0.0
        told = engine.own_sampling("temperature") if own else None
        temperature = asked.temperature
        if temperature is None:
            temperature = own if told is None else float(told)
        top_k = int(value(engine, asked.top_k, "top_k", 0))
        top_p = value(engine, asked.top_p, "top_p", 1.0)
        if temperature == 0 or top_p == 0 or top_k == 1:
            return True, []
        steps = [TemperatureLogitsWarper(float(temperature))]
        steps += [TopKLogitsWarper(top_k)] if top_k > 0 else []
        steps += [TopPLogitsWarper(top_p)] if top_p < 1 else []
        return False, steps

    def choose(self, logits: Any) -> Chosen:
        """Return the next token from the model's logits, shape (vocabulary,)."""
        torch, sampling = self._torch, self._sampling
        told = None if sampling.logprobs is None else logits.log_softmax(-1)
        scores = logits.cpu() if told is None else logits.clone().cpu()
        self._penalize(scores)
        if self._shaping.changes:
            self._shaping.change(scores)
        if self._matcher is not None and not _allow(self._matcher, scores):
            return Chosen(0, ends=True)
        for processor in self._processors:
            scores = processor(None, scores.unsqueeze(0))[0]
        if self._greedy:
            token = int(scores.argmax())
        else:
            chances = scores.softmax(-1)
            token = int(torch.multinomial(chances, 1, generator=self._random))
        self._tokens.append(token)
        self._shaping.made(token)
        if self._matcher is not None:
            self._matcher.consume_token(token)
        if told is None:
            return Chosen(token)
        return Chosen(token, float(told[token]), self._top(told, sampling.logprobs or 0))

    def _penalize(self, scores: Any) -> None:
        if self._repeat == 1.0:
            return
        seen = self._torch.tensor(sorted(set(self._tokens)))
        known = scores[seen]
        scores[seen] = self._torch.where(known < 0, known * self._repeat, known / self._repeat)

    def _top(self, logprobs: Any, most: int) -> tuple[tuple[int, float], ...]:
        if most == 0:
            return ()
        values, tokens = logprobs.topk(most)
        return tuple(
            (int(token), float(value))
            for token, value in zip(tokens, values, strict=True)
            if value > -math.inf
        )


def _matcher(engine: TransformersEngine, schema: str) -> Any:
    matcher, error = None, ""
    try:
        matcher = engine.guide(schema)
        error = matcher.get_error()
    except ValueError as refused:
        error = str(refused)
    if error:
        raise InvalidRequest(
            f"The engine cannot follow this JSON schema: {shown(error)}",
            param="response_format",
            fix="Simplify the schema.",
        )
    return matcher


def _allow(matcher: Any, scores: Any) -> bool:
    """Take the chance from every token that a schema does not allow; False where it is followed to
    its end."""
    import llguidance.torch as guided

    if matcher.is_stopped():
        return False
    mask = guided.allocate_token_bitmask(1, scores.shape[-1])
    guided.fill_next_token_bitmask(matcher, mask, 0)
    guided.apply_token_bitmask_inplace(scores.unsqueeze(0), mask)
    return True
