"""Sources of a model's numbers: real-looking configurations and headers, and hostile ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venom_core.sdk.architecture import Architecture, BadNumber
from venom_core.sdk.architecture_config import from_config_json
from venom_core.sdk.architecture_gguf import from_gguf

# As published; google/gemma-3-4b-it leaves out what its class has.
GEMMA_3_4B = {
    "model_type": "gemma3",
    "text_config": {
        "hidden_size": 2560, "intermediate_size": 10_240, "model_type": "gemma3_text",
        "num_hidden_layers": 34, "sliding_window": 1024,
        "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
    },
    "vision_config": {"hidden_size": 1152, "num_hidden_layers": 27, "num_attention_heads": 16},
}  # fmt: skip
LLAMA_3_8B = {
    "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14_336,
    "max_position_embeddings": 8192, "num_attention_heads": 32, "num_hidden_layers": 32,
    "num_key_value_heads": 8, "vocab_size": 128_256, "rope_scaling": None,
}  # fmt: skip
QWEN3_30B_A3B = {
    "model_type": "qwen3_moe", "head_dim": 128, "hidden_size": 2048, "intermediate_size": 6144,
    "max_position_embeddings": 40_960, "max_window_layers": 48, "moe_intermediate_size": 768,
    "num_attention_heads": 32, "num_experts": 128, "num_experts_per_tok": 8,
    "num_hidden_layers": 48, "num_key_value_heads": 4, "sliding_window": None,
    "use_sliding_window": False, "vocab_size": 151_936,
}  # fmt: skip
DEEPSEEK_V2_LITE = {
    "model_type": "deepseek_v2", "hidden_size": 2048, "intermediate_size": 10_944,
    "kv_lora_rank": 512, "max_position_embeddings": 163_840, "moe_intermediate_size": 1408,
    "n_routed_experts": 64, "n_shared_experts": 2, "num_attention_heads": 16,
    "num_experts_per_tok": 6, "num_hidden_layers": 27, "num_key_value_heads": 16,
    "q_lora_rank": None, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
    "vocab_size": 102_400,
}  # fmt: skip
MISTRAL_7B = {
    "model_type": "mistral", "hidden_size": 4096, "intermediate_size": 14_336,
    "max_position_embeddings": 32_768, "num_attention_heads": 32, "num_hidden_layers": 32,
    "num_key_value_heads": 8, "sliding_window": 4096, "vocab_size": 32_000,
}  # fmt: skip


def test_gemma_3_has_a_window_in_five_of_six_layers_and_the_defaults_of_its_class() -> None:
    found = from_config_json(GEMMA_3_4B, weights_bytes=8_600_000_000)
    assert (found.layers, found.heads, found.kv_heads[0]) == (34, 8, 4)
    assert (found.key_length, found.value_length, found.window) == (256, 256, 1024)
    assert [layer for layer in range(34) if not found.windowed[layer]] == [5, 11, 17, 23, 29]
    assert found.vocabulary == 262_208 and found.weights_bytes == 8_600_000_000
    assert found.unknown == ()


def test_llama_3_has_grouped_heads_whose_length_follows_from_its_width() -> None:
    found = from_config_json(LLAMA_3_8B)
    assert (found.heads, set(found.kv_heads), found.key_length) == (32, {8}, 128)
    assert found.windowed == () and found.window is None and found.experts is None
    assert found.unknown == ("weights_bytes",)


def test_qwen_3_moe_has_experts_and_a_window_that_it_does_not_use() -> None:
    found = from_config_json(QWEN3_30B_A3B)
    assert (found.experts, found.experts_used, found.expert_feed_forward) == (128, 8, 768)
    assert found.key_length == 128 and found.windowed == ()


def test_a_window_counts_where_it_is_switched_on_and_from_its_layer() -> None:
    off = from_config_json({**QWEN3_30B_A3B, "sliding_window": 4096})
    assert off.window is None and off.windowed == ()
    on = {**QWEN3_30B_A3B, "sliding_window": 4096, "use_sliding_window": True,
          "max_window_layers": 40}  # fmt: skip
    assert from_config_json(on).windowed == (False,) * 40 + (True,) * 8


def test_deepseek_compresses_its_cache() -> None:
    found = from_config_json(DEEPSEEK_V2_LITE)
    assert (found.kv_rank, found.rope_length) == (512, 64)
    assert (found.expanded_key_length, found.expanded_value_length) == (192, 128)
    assert found.experts == 64


def test_every_layer_of_the_first_mistral_has_the_window() -> None:
    found = from_config_json(MISTRAL_7B)
    assert found.window == 4096 and found.windowed == (True,) * 32
    assert from_config_json({**MISTRAL_7B, "sliding_window": None}).windowed == ()


def test_layers_that_a_configuration_lists_are_believed() -> None:
    kinds = ["linear_attention", "linear_attention", "linear_attention", "full_attention"] * 2
    hybrid = {**LLAMA_3_8B, "num_hidden_layers": 8, "layer_types": kinds,
              "linear_num_value_heads": 32}  # fmt: skip
    found = from_config_json(hybrid)
    assert found.kv_heads == (0, 0, 0, 8) * 2 and found.keeps_state
    swa = {**LLAMA_3_8B, "num_hidden_layers": 2, "sliding_window": 128,
           "layer_types": ["sliding_attention", "full_attention"]}  # fmt: skip
    assert from_config_json(swa).windowed == (True, False)


def test_a_window_of_a_family_without_a_rule_counts_for_no_layer() -> None:
    found = from_config_json({**LLAMA_3_8B, "model_type": "novel", "sliding_window": 4096})
    assert found.window == 4096 and found.windowed == ()


GGUF: dict[str, Any] = {
    "general.architecture": "llama", "llama.block_count": 4, "llama.embedding_length": 64,
    "llama.attention.head_count": 8, "llama.attention.head_count_kv": 2,
    "llama.feed_forward_length": 128, "llama.context_length": 2048,
}  # fmt: skip


def gguf(**changes: Any) -> dict[str, Any]:
    """``a__b`` stands for the key ``a.b`` of the family."""
    family = changes.pop("family", "llama")
    facts = {key.replace("llama", family, 1): value for key, value in GGUF.items()}
    facts["general.architecture"] = family
    return facts | {f"{family}.{key.replace('__', '.')}": value for key, value in changes.items()}


def test_a_header_without_head_lengths_has_those_that_follow_from_its_width() -> None:
    found = from_gguf(gguf(), weights_bytes=1000, vocabulary=100)
    assert (found.key_length, found.value_length, found.kv_heads) == (8, 8, (2, 2, 2, 2))
    assert found.vocabulary == 100 and found.unknown == ()


def test_key_value_heads_may_differ_by_layer() -> None:
    assert from_gguf(gguf(attention__head_count_kv=[1, 0, 2, 1])).kv_heads == (1, 0, 2, 1)
    with pytest.raises(BadNumber):
        from_gguf(gguf(attention__head_count_kv=[1, 2]))


@pytest.mark.parametrize(
    ("family", "window", "full"),
    [("gemma3", 512, [5]), ("cohere2", 512, [3, 7]), ("gpt-oss", 128, [1, 3, 5, 7]),
     ("smallthinker", 512, [0, 4]), ("llama", 512, None), ("phi3", 512, None),
     ("unheard-of", 512, None)],
)  # fmt: skip
def test_which_layers_have_the_window_is_the_rule_of_the_family(
    family: str, window: int, full: list[int] | None
) -> None:
    found = from_gguf(gguf(family=family, block_count=8, attention__sliding_window=window))
    layers = [layer for layer, short in enumerate(found.windowed) if not short]
    assert layers == (full or []) and bool(found.windowed) == (full is not None)


def test_a_pattern_in_the_file_wins_over_the_rule() -> None:
    facts = gguf(family="gemma3", attention__sliding_window=512)
    facts["gemma3.attention.sliding_window_pattern"] = [False, True, True, False]
    assert from_gguf(facts).windowed == (False, True, True, False)
    facts["gemma3.attention.sliding_window_pattern"] = 2
    assert from_gguf(facts).windowed == (True, False, True, False)


def test_a_family_that_llama_cpp_gives_no_window_has_none_whatever_its_file_says() -> None:
    facts = gguf(attention__sliding_window=512, attention__sliding_window_pattern=[True] * 4)
    found = from_gguf(facts)
    assert found.window == 512 and found.windowed == ()


def test_only_a_file_made_for_it_is_compressed() -> None:
    old = gguf(family="deepseek2", attention__kv_lora_rank=512, rope__dimension_count=64,
               attention__key_length=192, attention__value_length=128)  # fmt: skip
    assert from_gguf(old).kv_rank is None
    new = old | {"deepseek2.attention.key_length_mla": 192,
                 "deepseek2.attention.value_length_mla": 128}  # fmt: skip
    assert (from_gguf(new).kv_rank, from_gguf(new).rope_length) == (512, 64)


def test_a_text_encoder_keeps_no_cache() -> None:
    assert from_gguf(gguf(family="bert", attention__causal=False)).kv_heads == (0,) * 4


@pytest.mark.parametrize(
    "changes",
    [
        {"attention__head_count": 0}, {"attention__head_count": -1}, {"block_count": 0},
        {"block_count": 10**30}, {"block_count": "many"}, {"block_count": True},
        {"embedding_length": -5}, {"attention__key_length": 2**40}, {"context_length": 2**63},
        {"attention__head_count_kv": [1, 2, 3, "x"]}, {"feed_forward_length": [1, 2, 3, -4]},
        {"attention__shared_kv_layers": 99}, {"expert_count": 10**9},
        {"attention__key_length_mla": 8, "attention__value_length_mla": 8},
    ],
)  # fmt: skip
def test_numbers_that_no_model_has_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadNumber):
        from_gguf(gguf(**changes))


def test_the_numbers_must_belong_together() -> None:
    with pytest.raises(BadNumber):
        Architecture("a", layers=3, kv_heads=(1, 1))
    with pytest.raises(BadNumber):
        Architecture("a", kv_rank=512)
    with pytest.raises(BadNumber):
        Architecture("a", weights_bytes=2**60)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted({**GEMMA_3_4B["text_config"], **QWEN3_30B_A3B,
       **DEEPSEEK_V2_LITE, "layer_types": 0, "sliding_window_pattern": 0})), JSON))  # fmt: skip
def test_any_configuration_ends_in_numbers_or_a_refusal(changes: dict[str, Any]) -> None:
    for base in (MISTRAL_7B, DEEPSEEK_V2_LITE, {}):
        try:
            found = from_config_json({**base, **changes})
        except BadNumber:
            continue
        assert isinstance(found, Architecture)


@given(st.dictionaries(st.sampled_from([key.removeprefix("llama.") for key in GGUF] + [
       "attention.sliding_window", "attention.sliding_window_pattern", "attention.key_length",
       "attention.kv_lora_rank", "attention.key_length_mla", "full_attention_interval",
       "attention.shared_kv_layers", "ssm.state_size"]), JSON),
       st.sampled_from(["llama", "gemma3", "gemma3n", "deepseek2", "unheard-of"]))  # fmt: skip
def test_any_header_ends_in_numbers_or_a_refusal(changes: dict[str, Any], family: str) -> None:
    facts = gguf(family=family) | {f"{family}.{key}": value for key, value in changes.items()}
    try:
        found = from_gguf(facts)
    except BadNumber:
        return
    assert isinstance(found, Architecture)
