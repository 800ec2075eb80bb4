"""Reranking on the real engine, with a reranker that is made here: one layer of random weights."""

from __future__ import annotations

import random
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from venom_core.sdk.errors import ContextLengthExceeded, ModelNotCapable
from venom_core.sdk.messages import ChatRequest, EmbedRequest, RerankRequest
from venom_core.testing.contexts import opened, provider_context
from venom_core.testing.gguf import gguf_bytes
from venom_llamacpp.plugin import venom_providers
from venom_llamacpp.provider import LlamaCppProvider

pytestmark = [
    pytest.mark.engines,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]
MODEL, ENCODER = "tiny-reranker", "tiny-encoder"
WIDTH, HIDDEN, CONTEXT = 16, 32, 64
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["the", "cat", "dog", "sea", "ship", "moon", "is", "red", "word"]


def bert(name: str, pooling: int) -> bytes:
    """Return a whole GGUF file of the architecture ``bert``."""
    words = [*SPECIAL, *(f"\u2581{word}" for word in WORDS), *map(chr, range(97, 123))]
    kinds = [3] * len(SPECIAL) + [1] * (len(words) - len(SPECIAL))
    facts: dict[str, Any] = {
        "general.architecture": "bert", "general.name": name, "general.file_type": 0,
        "bert.block_count": 1, "bert.context_length": CONTEXT, "bert.embedding_length": WIDTH,
        "bert.feed_forward_length": HIDDEN, "bert.attention.head_count": 2,
        "bert.attention.layer_norm_epsilon": struct.pack("<If", 6, 1e-12),
        "bert.attention.causal": False, "bert.pooling_type": pooling,
        "tokenizer.ggml.model": "bert", "tokenizer.ggml.token_type_count": 2,
        "tokenizer.ggml.tokens": words,
        "tokenizer.ggml.token_type":
            struct.pack(f"<IIQ{len(kinds)}i", 9, 5, len(kinds), *kinds),
        "tokenizer.ggml.padding_token_id": 0, "tokenizer.ggml.unknown_token_id": 1,
        "tokenizer.ggml.bos_token_id": 2, "tokenizer.ggml.eos_token_id": 3,
        "tokenizer.ggml.seperator_token_id": 3, "tokenizer.ggml.mask_token_id": 4,
    }  # fmt: skip
    norms = ("token_embd_norm", "blk.0.attn_output_norm", "blk.0.layer_output_norm")
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (WIDTH, len(words)), "token_types.weight": (WIDTH, 2),
        "position_embd.weight": (WIDTH, CONTEXT),
        **{f"{norm}.{part}": (WIDTH,) for norm in norms for part in ("weight", "bias")},
        **{f"blk.0.attn_{one}.weight": (WIDTH, WIDTH) for one in ("q", "k", "v", "output")},
        **{f"blk.0.attn_{one}.bias": (WIDTH,) for one in ("q", "k", "v", "output")},
        "blk.0.ffn_up.weight": (WIDTH, HIDDEN), "blk.0.ffn_up.bias": (HIDDEN,),
        "blk.0.ffn_down.weight": (HIDDEN, WIDTH), "blk.0.ffn_down.bias": (WIDTH,),
    }  # fmt: skip
    if pooling == 4:
        facts["bert.classifier.output_labels"] = ["score"]
        shapes |= {"cls.weight": (WIDTH, WIDTH), "cls.bias": (WIDTH,)}
        shapes |= {"cls.output.weight": (WIDTH, 1), "cls.output.bias": (1,)}
    drawn, table, data = random.Random(1), b"", b""
    for tensor, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) == 2 else 1)
        table += struct.pack("<Q", len(tensor)) + tensor.encode()
        table += struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, len(data))
        values = [drawn.gauss(0, 0.5) if len(shape) == 2 else float("norm.w" in tensor)
                  for _ in range(count)]  # fmt: skip
        raw = struct.pack(f"<{count}f", *values)
        data += raw + bytes(-len(raw) % 32)
    head = gguf_bytes(facts, tensors=len(shapes)) + table
    return head + bytes(-len(head) % 32) + data


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider(
    real_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LlamaCppProvider]:
    files = tmp_path_factory.mktemp("files")
    (files / f"{MODEL}.gguf").write_bytes(bert(MODEL, 4))
    (files / f"{ENCODER}.gguf").write_bytes(bert(ENCODER, 1))
    data, settings = tmp_path_factory.mktemp("data"), {"model_paths": (str(files),)}
    context = provider_context(venom_providers()[0], data, real_models, settings)
    async with opened(LlamaCppProvider(context)) as made:
        yield made


def asked(*documents: str, query: str = "cat", model: str = MODEL) -> RerankRequest:
    return RerankRequest(model, query, documents, "test")


async def test_a_reranker_ranks_and_does_nothing_else(provider: LlamaCppProvider) -> None:
    assert (await provider.describe(MODEL)).capabilities == {"rerank"}
    assert (await provider.describe(ENCODER)).capabilities == {"embedding"}
    with pytest.raises(ModelNotCapable):
        await provider.embed(EmbedRequest(MODEL, ("cat",), "test"))
    for ask, body in (
        (provider.chat, {"messages": [{"role": "user", "content": "x"}]}),
        (provider.complete, {"prompt": "x"}),
    ):
        with pytest.raises(ModelNotCapable):
            await anext(ask(ChatRequest(MODEL, body, False, "test")))


@pytest.mark.parametrize("model", [ENCODER, "smollm2:135m"])
async def test_every_other_model_refuses_to_rank(provider: LlamaCppProvider, model: str) -> None:
    with pytest.raises(ModelNotCapable) as raised:
        await provider.rerank(asked("dog", model=model))
    assert raised.value.param == "model"


async def test_each_document_has_the_score_of_its_own(provider: LlamaCppProvider) -> None:
    documents = ("dog", "the cat is red", "moon", "", "the ship")
    together = await provider.rerank(asked(*documents))
    assert len(together.scores) == len(documents) == len(set(together.scores))
    for document, score in zip(documents, together.scores, strict=True):
        alone = await provider.rerank(asked(document))
        assert alone.scores[0] == pytest.approx(score, abs=1e-4), document
    backwards = await provider.rerank(asked(*reversed(documents)))
    assert backwards.scores[::-1] == pytest.approx(together.scores, abs=1e-4)
    other = await provider.rerank(asked(*documents, query="the sea"))
    assert other.scores != pytest.approx(together.scores, abs=1e-4)


async def test_all_pairs_are_counted(provider: LlamaCppProvider) -> None:
    one = (await provider.rerank(asked("dog"))).prompt_tokens
    assert one >= 4
    assert (await provider.rerank(asked("dog", "dog", "dog"))).prompt_tokens == 3 * one


@pytest.mark.parametrize("query", ["cat", "the " * 20])
async def test_what_is_too_long_is_refused_with_its_place(
    provider: LlamaCppProvider, query: str
) -> None:
    words = len(query.split())
    fits = CONTEXT - words - 4
    assert (await provider.rerank(asked("dog", "word " * fits, query=query))).scores
    with pytest.raises(ContextLengthExceeded, match=rf" {CONTEXT + 1} tokens.* {CONTEXT} at") as e:
        await provider.rerank(asked("dog", "word " * (fits + 1), query=query))
    assert e.value.param == "documents[1]"


async def test_a_query_that_is_too_long_alone_is_refused(provider: LlamaCppProvider) -> None:
    with pytest.raises(ContextLengthExceeded):
        await provider.rerank(asked("dog", query="the " * 100))


async def test_many_documents_are_one_request(provider: LlamaCppProvider) -> None:
    found = await provider.rerank(asked(*(WORDS[place % 9] for place in range(2048))))
    assert len(found.scores) == 2048
    assert found.scores[0] == pytest.approx(found.scores[9], abs=1e-4) != found.scores[1]


async def test_its_engine_is_one_of_its_own(provider: LlamaCppProvider) -> None:
    await provider.rerank(asked("dog"))
    engines = [one for one in await provider.engines() if one.model == MODEL]
    assert [one.name for one in engines] == [f"llama.cpp ({MODEL}, ranking)"]
    await provider.unload(MODEL)
    await provider.load(MODEL)
    assert (await provider.describe(MODEL)).loaded
    assert (await provider.rerank(asked("dog"))).scores
