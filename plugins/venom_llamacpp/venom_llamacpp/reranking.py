"""Reranking with llama.cpp: its answer as scores in the documents' order, its refusals by field."""

from __future__ import annotations

import re

from venom_core.sdk.errors import ContextLengthExceeded, UpstreamError, VenomError
from venom_core.sdk.messages import Reranked, RerankRequest
from venom_llamacpp.lengths import Post, count_tokens

#: Metadata ``<architecture>.pooling_type`` of a model that ranks.
RANK = 4
#: Tokens that stand around query and document.
AROUND = 4
_TOO_LARGE = re.compile(r"input \((\d{1,9}) tokens\) is too large")


async def rerank(request: RerankRequest, limit: int, post: Post) -> Reranked:
    """Return the scores of a request's documents.

    Args:
        limit: tokens of a query and a document together.

    Raises ``ContextLengthExceeded`` naming the document that is too long.
    """
    await _check_lengths(request, limit, post)
    body = {"query": request.query, "documents": list(request.documents)}
    try:
        answer = await post("/v1/rerank", body)
    except UpstreamError as error:
        raise _refusal(error, limit) from error
    try:
        scores = {row["index"]: row["relevance_score"] for row in answer["results"]}
        ordered = tuple(float(scores[place]) for place in range(len(request.documents)))
        return Reranked(ordered, int(answer["usage"]["prompt_tokens"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UpstreamError("The engine's answer is no ranking.") from error


async def _check_lengths(request: RerankRequest, limit: int, post: Post) -> None:
    """Refuse what is no batch: the engine answers it with a 500 that names no document."""
    query: int | None = None
    # A token is at least a byte.
    room = limit - len(request.query.encode()) - AROUND
    for place, text in enumerate(request.documents):
        if len(text.encode()) <= room:
            continue
        query = await count_tokens(request.query, post) if query is None else query
        count = query + await count_tokens(text, post) + AROUND
        if count > limit:
            raise _too_long(count, limit, f"documents[{place}]")


def _too_long(count: int, limit: int, param: str) -> VenomError:
    return ContextLengthExceeded(
        f"The query and this document have {count} tokens; this model takes {limit} at a time.",
        param=param,
        fix="Split it into shorter pieces.",
    )


def _refusal(error: UpstreamError, limit: int) -> VenomError:
    """Return the engine's word on a length that only its own template made too long as a refusal;
    any other as it is."""
    found = _TOO_LARGE.search(error.message)
    return error if found is None else _too_long(int(found[1]), limit, "documents")
