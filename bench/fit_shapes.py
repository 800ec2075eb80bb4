"""Small GGUF files with random weights, one for each way a model can keep its context.

Run in an environment of its own (it needs the ``gguf`` package and numpy, which nothing else of
Venom does): ``python bench/fit_shapes.py FOLDER``. What the weights are does not matter to how
much memory they take.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

VOCABULARY = 8_000


class Shape:
    """One file being written: metadata by the architecture's own keys, tensors of 16-bit floats.

    Args:
        layers, width, heads, kv_heads, key, value, hidden: block count, embedding length, heads,
            key-value heads, head dimensions, feed-forward length.
        quantized: matrices are Q4_K, whose rows must be multiples of 256.
    """

    def __init__(
        self, folder: Path, name: str, architecture: str, *, layers: int, width: int, heads: int,
        kv_heads: int, key: int, value: int, hidden: int, vocabulary: int = VOCABULARY,
        quantized: bool = False,
    ) -> None:  # fmt: skip
        import gguf
        import numpy as np

        self.quantized = quantized
        self.layers, self.width, self.heads, self.kv_heads = layers, width, heads, kv_heads
        self.key, self.value, self.hidden, self.vocabulary = key, value, hidden, vocabulary
        self.random = np.random.default_rng(len(name))
        self.writer = writer = gguf.GGUFWriter(folder / f"{name}.gguf", architecture)
        writer.add_name(name)
        writer.add_context_length(32_768)
        writer.add_block_count(layers)
        writer.add_embedding_length(width)
        writer.add_feed_forward_length(hidden)
        writer.add_head_count(heads)
        writer.add_head_count_kv(kv_heads)
        writer.add_key_length(key)
        writer.add_value_length(value)
        writer.add_layer_norm_rms_eps(1e-6)
        writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
        self._vocabulary(gguf)
        self.tensor("token_embd", width, vocabulary)
        self.norm("output_norm", width)

    def _vocabulary(self, gguf: Any) -> None:
        tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
        kinds = [gguf.TokenType.UNKNOWN, *[gguf.TokenType.CONTROL] * 2]
        kinds += [gguf.TokenType.BYTE] * 256
        rest = self.vocabulary - len(tokens)
        tokens += [f"word{number}" for number in range(rest)]
        kinds += [gguf.TokenType.NORMAL] * rest
        writer = self.writer
        writer.add_vocab_size(self.vocabulary)
        writer.add_tokenizer_model("llama")
        writer.add_token_list(tokens)
        writer.add_token_scores([-float(number) for number in range(self.vocabulary)])
        writer.add_token_types([int(kind) for kind in kinds])
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_unk_token_id(0)

    def tensor(self, name: str, *shape: int) -> None:
        """A matrix, its dimensions as llama.cpp prints them: the input's first."""
        if self.quantized and name != "token_embd":
            self._quantized(name, shape)
            return
        values = self.random.standard_normal(tuple(reversed(shape)), dtype="float32")
        self.writer.add_tensor(f"{name}.weight", (values / 50).astype("float16"))

    def _quantized(self, name: str, shape: tuple[int, ...]) -> None:
        """Q4_K, of which llama.cpp holds a copy in another order; all of it zeros."""
        import gguf
        import numpy as np

        kind = gguf.GGMLQuantizationType.Q4_K
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        rows = tuple(reversed(shape))
        data = np.zeros((*rows[:-1], rows[-1] // elements * size), dtype=np.uint8)
        self.writer.add_tensor(f"{name}.weight", data, raw_dtype=kind)

    def norm(self, name: str, length: int) -> None:
        self.writer.add_tensor(f"{name}.weight", self.random.random(length, dtype="float32"))

    def attention(self, layer: int, *norms: str) -> None:
        block, width = f"blk.{layer}", self.width
        self.norm(f"{block}.attn_norm", width)
        self.tensor(f"{block}.attn_q", width, self.heads * self.key)
        self.tensor(f"{block}.attn_k", width, self.kv_heads * self.key)
        self.tensor(f"{block}.attn_v", width, self.kv_heads * self.value)
        self.tensor(f"{block}.attn_output", self.heads * self.value, width)
        for name in norms:
            self.norm(f"{block}.{name}", self.key if name.endswith(("q_norm", "k_norm")) else width)

    def dense(self, layer: int) -> None:
        for name in ("gate", "up"):
            self.tensor(f"blk.{layer}.ffn_{name}", self.width, self.hidden)
        self.tensor(f"blk.{layer}.ffn_down", self.hidden, self.width)

    def experts(self, layer: int, count: int, hidden: int) -> None:
        self.tensor(f"blk.{layer}.ffn_gate_inp", self.width, count)
        for name in ("gate", "up"):
            self.tensor(f"blk.{layer}.ffn_{name}_exps", self.width, hidden, count)
        self.tensor(f"blk.{layer}.ffn_down_exps", hidden, self.width, count)

    def close(self) -> None:
        self.writer.write_header_to_file()
        self.writer.write_kv_data_to_file()
        self.writer.write_tensors_to_file()
        self.writer.close()


def grouped_heads(folder: Path) -> None:
    """Four query heads share one key-value head."""
    shape = Shape(
        folder, "grouped-heads", "llama", layers=16, width=768, heads=12, kv_heads=3, key=64,
        value=64, hidden=2048, vocabulary=32_000,
    )  # fmt: skip
    shape.writer.add_rope_dimension_count(64)
    for layer in range(shape.layers):
        shape.attention(layer, "ffn_norm")
        shape.dense(layer)
    shape.close()


def sliding_window(folder: Path) -> None:
    """Three of four layers look back 512 tokens only."""
    shape = Shape(
        folder, "sliding-window", "cohere2", layers=16, width=768, heads=12, kv_heads=4, key=64,
        value=64, hidden=2048,
    )  # fmt: skip
    shape.writer.add_layer_norm_eps(1e-5)
    shape.writer.add_sliding_window(512)
    shape.writer.add_logit_scale(0.25)
    shape.writer.add_rope_dimension_count(64)
    for layer in range(shape.layers):
        shape.attention(layer)
        shape.dense(layer)
    shape.close()


def mixture_of_experts(folder: Path) -> None:
    """Four of thirty-two experts read each token; all of them are in memory."""
    shape = Shape(
        folder, "mixture-of-experts", "qwen3moe", layers=8, width=512, heads=8, kv_heads=2, key=64,
        value=64, hidden=1536,
    )  # fmt: skip
    shape.writer.add_expert_count(32)
    shape.writer.add_expert_used_count(4)
    shape.writer.add_expert_feed_forward_length(384)
    for layer in range(shape.layers):
        shape.attention(layer, "attn_q_norm", "attn_k_norm", "ffn_norm")
        shape.experts(layer, 32, 384)
    shape.close()


def compressed_cache(folder: Path) -> None:
    """Multi-head latent attention: the cache keeps one compressed row for all heads."""
    _compressed(folder, "compressed-cache", layers=12, width=768, heads=8, rank=256, rotary=64)


def _compressed(
    folder: Path, name: str, *, layers: int, width: int, heads: int, rank: int, rotary: int
) -> None:
    query_rank, nope, value, experts = 384, 96, 96, 8
    shape = Shape(
        folder, name, "deepseek2", layers=layers, width=width, heads=heads, kv_heads=1,
        key=rank + rotary, value=rank, hidden=1536,
    )  # fmt: skip
    writer = shape.writer
    writer.add_q_lora_rank(query_rank)
    writer.add_kv_lora_rank(rank)
    writer.add_key_length_mla(nope + rotary)
    writer.add_value_length_mla(value)
    writer.add_rope_dimension_count(rotary)
    writer.add_leading_dense_block_count(1)
    writer.add_expert_count(experts)
    writer.add_expert_used_count(2)
    writer.add_expert_shared_count(1)
    writer.add_expert_feed_forward_length(384)
    writer.add_expert_weights_scale(1.0)
    shape.tensor("output", shape.width, shape.vocabulary)
    for layer in range(shape.layers):
        block, width, heads = f"blk.{layer}", shape.width, shape.heads
        shape.norm(f"{block}.attn_norm", width)
        shape.tensor(f"{block}.attn_q_a", width, query_rank)
        shape.norm(f"{block}.attn_q_a_norm", query_rank)
        shape.tensor(f"{block}.attn_q_b", query_rank, heads * (nope + rotary))
        shape.tensor(f"{block}.attn_kv_a_mqa", width, rank + rotary)
        shape.norm(f"{block}.attn_kv_a_norm", rank)
        shape.tensor(f"{block}.attn_k_b", nope, rank, heads)
        shape.tensor(f"{block}.attn_v_b", rank, value, heads)
        shape.tensor(f"{block}.attn_output", heads * value, width)
        shape.norm(f"{block}.ffn_norm", width)
        if layer == 0:
            shape.dense(layer)
            continue
        shape.experts(layer, experts, 384)
        for name in ("gate", "up"):
            shape.tensor(f"{block}.ffn_{name}_shexp", width, 384)
        shape.tensor(f"{block}.ffn_down_shexp", 384, width)
    shape.close()


def grouped_heads_held_out(folder: Path) -> None:
    """Sixteen wide heads over two; nothing of the formulas was read off this or the next three."""
    shape = Shape(
        folder, "grouped-heads-2", "llama", layers=10, width=1024, heads=16, kv_heads=2, key=128,
        value=128, hidden=2816, vocabulary=20_000,
    )  # fmt: skip
    shape.writer.add_rope_dimension_count(128)
    for layer in range(shape.layers):
        shape.attention(layer, "ffn_norm")
        shape.dense(layer)
    shape.close()


def sliding_window_held_out(folder: Path) -> None:
    """Every second layer looks back 1024 tokens."""
    shape = Shape(
        folder, "sliding-window-2", "gemma2", layers=12, width=512, heads=4, kv_heads=2, key=128,
        value=128, hidden=1536, vocabulary=24_000,
    )  # fmt: skip
    shape.writer.add_sliding_window(1024)
    for layer in range(shape.layers):
        shape.attention(layer, "ffn_norm", "post_attention_norm", "post_ffw_norm")
        shape.dense(layer)
    shape.close()


def mixture_of_experts_held_out(folder: Path) -> None:
    """Two of eight wide experts read each token."""
    shape = Shape(
        folder, "mixture-of-experts-2", "llama", layers=6, width=640, heads=10, kv_heads=5, key=64,
        value=64, hidden=1792, vocabulary=12_000,
    )  # fmt: skip
    shape.writer.add_rope_dimension_count(64)
    shape.writer.add_expert_count(8)
    shape.writer.add_expert_used_count(2)
    for layer in range(shape.layers):
        shape.attention(layer, "ffn_norm")
        shape.experts(layer, 8, 1792)
    shape.close()


def compressed_cache_held_out(folder: Path) -> None:
    """More heads over a shorter row."""
    _compressed(folder, "compressed-cache-2", layers=10, width=640, heads=20, rank=192, rotary=32)


def quantized(folder: Path) -> None:
    """The types of most files that people fetch: matrices in Q4_K, embeddings in another type."""
    shape = Shape(
        folder, "quantized", "llama", layers=24, width=1024, heads=16, kv_heads=4, key=64, value=64,
        hidden=4096, vocabulary=32_000, quantized=True,
    )  # fmt: skip
    shape.writer.add_rope_dimension_count(64)
    for layer in range(shape.layers):
        shape.attention(layer, "ffn_norm")
        shape.dense(layer)
    shape.close()


SHAPES = (
    quantized, grouped_heads, sliding_window, mixture_of_experts, compressed_cache,
    grouped_heads_held_out, sliding_window_held_out, mixture_of_experts_held_out,
    compressed_cache_held_out,
)  # fmt: skip


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for make in SHAPES:
        make(target)
