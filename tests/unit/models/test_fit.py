"""The fit check's arithmetic, against what llama.cpp's log stated (xllamacpp 2026.10.11549)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venom_core.models.fit import check, check_need, fits_memory, largest_context, size
from venom_core.sdk.architecture import Architecture, Measured, MemoryPlan
from venom_core.sdk.memory_estimate import (
    MemoryNeed,
    cache_bytes,
    compute_bytes,
    ggml_compute_bytes,
    needed,
)
from venom_core.sdk.provider import Model

MIB = 1024 * 1024
MEASURED = Measured(0.02, 0.05, 24, "real loads")
PLAN = MemoryPlan(
    engine="llama.cpp", context_length=4096, parallel=2, batch=1024, compute=ggml_compute_bytes,
    all_outputs=True, overhead_bytes=40_000_000, measured=MEASURED,
)  # fmt: skip
SMOLLM2 = Architecture(
    "llama", layers=30, heads=9, kv_heads=(3,) * 30, key_length=64, value_length=64,
    vocabulary=49_152, embedding_length=576, feed_forward=1536, weights_bytes=96_576_768,
    context_length=8192,
)  # fmt: skip
GEMMA = Architecture(
    "gemma3", layers=18, heads=4, kv_heads=(1,) * 18, key_length=256, value_length=256,
    window=512, windowed=tuple(layer % 6 != 5 for layer in range(18)), vocabulary=262_144,
    embedding_length=640, feed_forward=2048, weights_bytes=246_587_904, context_length=32_768,
)  # fmt: skip
EXPERTS = Architecture(
    "qwen3moe", layers=8, heads=8, kv_heads=(2,) * 8, key_length=64, value_length=64, experts=32,
    experts_used=4, expert_feed_forward=384, vocabulary=8000, embedding_length=512,
    feed_forward=1536, weights_bytes=320_968_704, context_length=32_768,
)  # fmt: skip
COMPRESSED = Architecture(
    "deepseek2", layers=12, heads=8, kv_heads=(1,) * 12, key_length=320, value_length=256,
    kv_rank=256, rope_length=64, expanded_key_length=160, expanded_value_length=96, experts=8,
    experts_used=2, expert_feed_forward=384, vocabulary=8000, embedding_length=768,
    feed_forward=1536, weights_bytes=255_439_872, context_length=32_768,
)  # fmt: skip


@pytest.mark.parametrize(
    ("model", "context", "parallel", "stated"),
    [
        (SMOLLM2, 512, 2, 22.5), (SMOLLM2, 2048, 2, 90), (SMOLLM2, 8192, 2, 360),
        (GEMMA, 512, 2, 18), (GEMMA, 4096, 2, 69), (GEMMA, 32_768, 2, 237), (GEMMA, 4096, 1, 34.5),
        (EXPERTS, 2048, 2, 16), (EXPERTS, 8192, 2, 64),
        (COMPRESSED, 2048, 2, 30), (COMPRESSED, 8192, 2, 120),
    ],
)  # fmt: skip
def test_the_cache_is_what_the_log_states(
    model: Architecture, context: int, parallel: int, stated: float
) -> None:
    plan = replace(PLAN, parallel=parallel, batch=min(context, 1024))
    assert cache_bytes(model, plan, context) == stated * MIB


@pytest.mark.parametrize(("kv_type", "stated"), [("q8_0", 6.38 + 11.95), ("f16", 12 + 22.5)])
def test_a_smaller_type_makes_a_smaller_cache(kv_type: str, stated: float) -> None:
    plan = replace(PLAN, parallel=1, kv_type=kv_type)
    assert cache_bytes(GEMMA, plan, 4096) == pytest.approx(stated * MIB, rel=0.001)


@pytest.mark.parametrize(
    ("model", "context", "batch", "stated"),
    [
        (SMOLLM2, 512, 512, 102.15), (SMOLLM2, 8192, 1024, 219.3), (GEMMA, 512, 512, 519.28),
        (GEMMA, 4096, 1024, 1047.57), (GEMMA, 32_768, 1024, 1103.57), (EXPERTS, 2048, 1024, 45.3),
        (COMPRESSED, 8192, 1024, 62.29),
    ],
)  # fmt: skip
def test_the_computing_buffer_is_what_the_log_states(
    model: Architecture, context: int, batch: int, stated: float
) -> None:
    plan = replace(PLAN, batch=batch, parallel=1)
    outputs = 4 * (model.vocabulary or 0)  # a buffer of its own in the log
    found = compute_bytes(model, plan, context, all_outputs=True)
    assert found is not None
    assert found - outputs == pytest.approx(stated * MIB, rel=0.01)


def test_many_wide_experts_take_more_to_compute_than_the_outputs() -> None:
    wide = Architecture(
        "qwen3moe", layers=2, heads=8, kv_heads=(2, 2), key_length=64, value_length=64, experts=16,
        experts_used=8, expert_feed_forward=1024, vocabulary=1000, embedding_length=512,
        feed_forward=512, weights_bytes=1,
    )  # fmt: skip
    found = compute_bytes(wide, replace(PLAN, parallel=1), 1024, all_outputs=True)
    assert found == pytest.approx(108.05 * MIB, rel=0.01)


def test_an_engine_that_does_not_compress_keeps_whole_heads() -> None:
    plan = replace(PLAN, parallel=1, compresses=False)
    assert cache_bytes(COMPRESSED, plan, 1024) == 12 * 1024 * 8 * (160 + 96) * 2


def test_an_engine_without_windows_keeps_the_context_in_every_layer() -> None:
    plan = replace(PLAN, parallel=1, windows=False)
    assert cache_bytes(GEMMA, plan, 4096) == 18 * 4096 * 512 * 2


def test_the_last_layers_may_read_the_cache_of_earlier_ones() -> None:
    shared = replace(SMOLLM2, shared_layers=10)
    assert cache_bytes(shared, PLAN, 1024) * 3 == cache_bytes(SMOLLM2, PLAN, 1024) * 2


def test_the_verdict_follows_the_memory_that_is_free() -> None:
    need = needed(GEMMA, PLAN, 4096)
    assert need.untouched > 1_000_000_000  # outputs of a whole batch over a large vocabulary
    assert check(GEMMA, PLAN, round(need.total * 1.051)).verdict == "fits"
    assert check(GEMMA, PLAN, need.total).verdict == "tight"
    assert check(GEMMA, PLAN, need.working).verdict == "tight"
    assert check(GEMMA, PLAN, need.working - 1).verdict == "does_not_fit"


def test_what_is_only_there_while_it_loads_makes_it_tight_and_not_impossible() -> None:
    plan = replace(PLAN, copies_bytes=100_000_000)
    need = needed(SMOLLM2, plan, 4096)
    assert need.total - needed(SMOLLM2, PLAN, 4096).total == 100_000_000
    assert need.working == needed(SMOLLM2, PLAN, 4096).working


def test_an_engine_that_was_never_measured_gets_a_margin() -> None:
    plan = replace(PLAN, measured=None)
    need = needed(SMOLLM2, plan, 4096)
    assert check(SMOLLM2, plan, round(need.total * 1.2)).verdict == "tight"
    found = check(SMOLLM2, plan, round(need.total * 1.26))
    assert found.verdict == "fits"
    assert any("No load of llama.cpp was compared" in line for line in found.assumptions)


def test_the_largest_context_fits_and_one_more_does_not() -> None:
    free = 600_000_000
    most = largest_context(SMOLLM2, PLAN, free)
    assert 256 <= most < 8192
    assert check(SMOLLM2, PLAN, free, most).verdict == "fits"
    assert check(SMOLLM2, PLAN, free, most + 1).verdict != "fits"
    assert largest_context(SMOLLM2, PLAN, 10**12) == 8192
    assert largest_context(SMOLLM2, PLAN, 1000) == 0


def test_what_is_unknown_is_named_and_never_guessed() -> None:
    found = check(replace(SMOLLM2, weights_bytes=None, kv_heads=()), PLAN, 10**12)
    assert found.verdict == "unknown"
    assert found.unknown == ("weights_bytes", "kv_heads")
    assert found.need is None and found.largest_context is None
    no_window = replace(GEMMA, window=None)
    assert check(no_window, PLAN, 10**12).unknown == ("window",)
    nothing = check(replace(SMOLLM2, context_length=None), replace(PLAN, context_length=None), 1)
    assert nothing.unknown == ("context_length",)
    blind = check(SMOLLM2, replace(PLAN, compute=None, overhead_bytes=None), 10**12)
    assert blind.need is not None and blind.need.compute is None
    assert sum("not known and not counted" in line for line in blind.assumptions) == 2


def test_assumptions_say_what_the_architecture_means() -> None:
    lines = check(GEMMA, PLAN, 10**12, 8192).assumptions
    assert "15 of its 18 layers look back 512 tokens and keep no more." in lines
    assert "2 x 8192 tokens at a time" in lines[0]
    assert any("All of its 32 experts" in line for line in check(EXPERTS, PLAN, 1).assumptions)
    assert any("one compressed row" in line for line in check(COMPRESSED, PLAN, 1).assumptions)
    ignored = replace(SMOLLM2, window=4096)
    assert any("saves nothing" in line for line in check(ignored, PLAN, 1).assumptions)


def test_a_context_beyond_the_training_is_that_of_the_training() -> None:
    assert check(SMOLLM2, PLAN, 10**12, 10**6).context_length == 8192


def test_a_model_without_numbers_is_judged_by_its_size() -> None:
    bare = Model("a", "gguf", size_bytes=4_000_000_000)
    assert fits_memory(bare, 5_400_000_000) and not fits_memory(bare, 5_300_000_000)
    known = replace(bare, architecture=SMOLLM2, memory_plan=PLAN)
    assert fits_memory(known, 700_000_000)


def test_sizes_are_said_in_units_for_people() -> None:
    assert (size(1_234_000_000), size(56_789_000)) == ("1.23 GB", "57 MB")


# Large models that no machine here can load: bounds only. Source: their published config.json.
GEMMA_3_27B = Architecture(
    "gemma3", layers=62, heads=32, kv_heads=(16,) * 62, key_length=128, value_length=128,
    window=1024, windowed=tuple(layer % 6 != 5 for layer in range(62)), vocabulary=262_208,
    embedding_length=5376, feed_forward=21_504, weights_bytes=16_500_000_000,
    context_length=131_072,
)  # fmt: skip
DEEPSEEK_V3 = Architecture(
    "deepseek2", layers=61, heads=128, kv_heads=(1,) * 61, key_length=576, value_length=512,
    kv_rank=512, rope_length=64, expanded_key_length=192, expanded_value_length=128, experts=256,
    experts_used=8, expert_feed_forward=2048, vocabulary=129_280, embedding_length=7168,
    feed_forward=18_432, weights_bytes=404_000_000_000, context_length=163_840,
)  # fmt: skip


def test_large_models_stay_within_what_their_architecture_can_mean() -> None:
    plan = replace(PLAN, parallel=1)
    full = 10 * 131_072 * 16 * 256 * 2  # the ten layers without a window alone
    naive = 62 * 131_072 * 32 * 256 * 2  # every layer, every head, the whole context
    assert full < cache_bytes(GEMMA_3_27B, plan, 131_072) < 1.2 * full < naive / 8
    row = 61 * 163_840 * 576 * 2
    assert cache_bytes(DEEPSEEK_V3, plan, 163_840) == row
    whole = cache_bytes(DEEPSEEK_V3, replace(plan, compresses=False), 163_840)
    assert 70 < whole / row < 72
    assert check(DEEPSEEK_V3, plan, 24 * 10**9).verdict == "does_not_fit"
    assert check(DEEPSEEK_V3, plan, 10**12).verdict == "fits"


numbers = st.integers(1, 300)


@given(
    layers=st.integers(1, 40), heads=numbers, length=numbers, width=numbers, vocabulary=numbers,
    context=st.integers(1, 1 << 20), more=st.integers(1, 1 << 20), free=st.integers(0, 1 << 45),
)  # fmt: skip
def test_more_context_never_takes_less(
    layers: int, heads: int, length: int, width: int, vocabulary: int, context: int, more: int,
    free: int,
) -> None:  # fmt: skip
    windowed = (True, False) * (layers // 2) + (True,) * (layers % 2)
    model = Architecture(
        "a", layers=layers, heads=heads, kv_heads=(heads,) * layers, key_length=length,
        value_length=length, window=64, windowed=windowed,
        vocabulary=vocabulary, embedding_length=width, weights_bytes=1000,
    )  # fmt: skip
    assert needed(model, PLAN, context).total <= needed(model, PLAN, context + more).total
    most = largest_context(model, PLAN, free)
    assert most == 0 or check(model, PLAN, free, most).verdict == "fits"


@pytest.mark.parametrize(
    ("free", "verdict"), [(1250, "fits"), (1249, "tight"), (900, "tight"), (899, "does_not_fit")]
)
def test_a_providers_own_estimate_is_taken_with_the_margin(free: int, verdict: str) -> None:
    found = check_need(MemoryNeed(600, 200, 200, None, untouched=100), free, 4096)
    assert (found.verdict, found.context_length, found.largest_context) == (verdict, 4096, None)
