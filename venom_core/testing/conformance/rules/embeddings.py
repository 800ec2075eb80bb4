"""Rules of embeddings."""

from __future__ import annotations

import math

from venom_core.sdk.spec import Capability
from venom_core.testing.conformance.case import Case
from venom_core.testing.conformance.rule import require, rule

EMBED = Capability.EMBED
#: How far two vectors of one text may be apart: what rounding makes, and no more.
_NEAR = 0.999


@rule(EMBED)
async def embeddings_are_even(case: Case) -> None:
    """There is one vector for each text, all of one length, of finite numbers; the prompt's tokens
    are counted."""
    inputs = case.ask_of(EMBED).body["input"]
    found = await case.embed(inputs)
    require(
        len(found.vectors) == len(inputs), f"{len(found.vectors)} vectors for {len(inputs)} texts."
    )
    sizes = {len(vector) for vector in found.vectors}
    require(len(sizes) == 1 and 0 not in sizes, f"The vectors are of lengths {sorted(sizes)}.")
    finite = all(math.isfinite(number) for vector in found.vectors for number in vector)
    require(finite, "A vector has a number that is none.")
    require(found.prompt_tokens > 0, f"{found.prompt_tokens} tokens of prompt cannot be.")


@rule(EMBED)
async def embeddings_keep_the_order(case: Case) -> None:
    """A batch gives each text the vector that it has alone, in the order of the texts."""
    inputs = tuple(case.ask_of(EMBED).body["input"])
    require(len(set(inputs)) > 1, "The trial embeds one text only: an order cannot be seen.")
    batch = (await case.embed(inputs)).vectors
    alone = [(await case.embed((text,))).vectors[0] for text in inputs]
    for place, (one, other) in enumerate(zip(batch, alone, strict=True)):
        require(
            len(one) == len(other) and _cosine(one, other) > _NEAR,
            f"Text {place} has another vector in a batch than alone.",
        )
    require(_cosine(batch[0], batch[1]) < _NEAR, "Two different texts have the same vector.")


def _cosine(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    lengths = math.hypot(*one) * math.hypot(*other)
    return math.fsum(a * b for a, b in zip(one, other, strict=True)) / (lengths or 1.0)
