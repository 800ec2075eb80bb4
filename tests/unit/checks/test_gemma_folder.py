"""A GGUF's names, numbers and scores as a folder of the Hugging Face form has them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.gemma_folder import CONTROL, NORMAL, USER_DEFINED, config_of, merges, name_of, tokenizer


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("token_embd.weight", "model.embed_tokens.weight"),
        ("output_norm.weight", "model.norm.weight"),
        ("blk.17.attn_q_norm.weight", "model.layers.17.self_attn.q_norm.weight"),
        ("blk.0.post_ffw_norm.weight", "model.layers.0.post_feedforward_layernorm.weight"),
    ],
    ids=["embeddings", "last-norm", "attention", "norm"],
)
def test_a_tensor_gets_the_name_that_transformers_knows(ours: str, theirs: str) -> None:
    assert name_of(ours) == theirs


def test_a_tensor_that_a_gemma_does_not_have_is_not_taken() -> None:
    with pytest.raises(KeyError, match="ssm_conv1d"):
        name_of("blk.0.ssm_conv1d.weight")


def test_merges_come_in_the_order_of_their_scores() -> None:
    tokens = ["a", "b", "c", "ab", "bc", "abc", "<x>"]
    scores = [-0.0, -0.0, -0.0, -2.0, -1.0, -3.0, -0.5]
    kinds = [NORMAL] * 6 + [CONTROL]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    assert merges(vocabulary, scores, kinds) == [("b", "c"), ("a", "b"), ("a", "bc"), ("ab", "c")]


@given(st.lists(st.text("abc", min_size=1, max_size=4), unique=True, max_size=12))
def test_each_merge_makes_a_token_of_two_others(tokens: list[str]) -> None:
    vocabulary = {token: number for number, token in enumerate(tokens)}
    made = merges(vocabulary, [-float(n) for n in range(len(tokens))], [NORMAL] * len(tokens))
    assert all({left, right, left + right} <= vocabulary.keys() for left, right in made)
    order = [vocabulary[left + right] for left, right in made]
    assert order == sorted(order)
    assert len(made) == sum(
        word[:at] in vocabulary and word[at:] in vocabulary
        for word in tokens for at in range(1, len(word))
    )  # fmt: skip


def test_the_tokenizer_library_reads_the_tokenizer() -> None:
    library = pytest.importorskip("tokenizers", reason="it comes with the extra onnx")
    tokens = ["<pad>", "<eos>", "<bos>", "<unk>", "\u2581", "a", "b", "ab", "\u2581a", "\n\n"]
    kinds = [CONTROL] * 4 + [NORMAL] * 5 + [USER_DEFINED]
    scores = [0.0] * 7 + [-1.0, -2.0, 0.0]
    made = library.Tokenizer.from_str(json.dumps(tokenizer(tokens, scores, kinds)))
    assert made.encode("ab a", add_special_tokens=False).tokens == ["ab", "\u2581a"]
    assert made.encode("<bos>a\n\nb", add_special_tokens=False).ids == [2, 5, 9, 6]
    assert made.encode("a").ids == [2, 5]
    assert made.decode([2, 7, 8, 9]) == "ab a\n\n"


def test_one_layer_of_six_sees_the_whole_context() -> None:
    value = {
        "gemma3.block_count": 18, "gemma3.attention.head_count": 4, "gemma3.rope.freq_base": 1e6,
        "gemma3.attention.head_count_kv": 1, "gemma3.attention.key_length": 256,
        "gemma3.embedding_length": 640, "gemma3.feed_forward_length": 2048,
        "gemma3.context_length": 32768, "gemma3.attention.sliding_window": 512,
        "gemma3.attention.layer_norm_rms_epsilon": 9.999999974752427e-07,
    }  # fmt: skip
    config = config_of(value)
    whole = [at for at, kind in enumerate(config["layer_types"]) if kind == "full_attention"]
    assert (len(config["layer_types"]), whole) == (18, [5, 11, 17])
    assert (config["rms_norm_eps"], config["sliding_window"]) == (1e-6, 512)
