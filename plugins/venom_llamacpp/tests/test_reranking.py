"""The engine's answers to a ranking, and what else it may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from venom_core.sdk.errors import ContextLengthExceeded, UpstreamError, VenomError
from venom_core.sdk.messages import Reranked, RerankRequest
from venom_llamacpp.reranking import rerank

ASKED = RerankRequest("m", "q", ("a", "b"), "t")


def ranked(*places: int) -> dict[str, Any]:
    rows = [{"index": place, "relevance_score": float(place)} for place in places]
    return {"results": rows, "usage": {"prompt_tokens": 6}}


async def told(answer: Any) -> Reranked:
    async def post(path: str, body: Mapping[str, Any]) -> Any:
        assert (path, body) == ("/v1/rerank", {"query": "q", "documents": ["a", "b"]})
        if isinstance(answer, VenomError):
            raise answer
        return answer

    return await rerank(ASKED, 64, post)


async def test_scores_are_in_the_order_of_the_documents() -> None:
    assert await told(ranked(1, 0)) == Reranked((0.0, 1.0), 6)


@pytest.mark.parametrize(
    "answer", [ranked(0), ranked(1, 2), {}, [], {"results": None}, {**ranked(0, 1), "usage": {}}]
)
async def test_what_is_no_ranking_is_refused(answer: Any) -> None:
    with pytest.raises(UpstreamError, match="no ranking"):
        await told(answer)


async def test_a_length_that_its_template_makes_is_a_refusal_of_the_request() -> None:
    said = "It says: input (83 tokens) is too large to process. increase the physical batch size"
    with pytest.raises(ContextLengthExceeded, match=r"83 tokens.* 64 at a time") as raised:
        await told(UpstreamError(said))
    assert raised.value.param == "documents"
    with pytest.raises(UpstreamError, match="out of memory"):
        await told(UpstreamError("out of memory"))
