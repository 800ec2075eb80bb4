"""From the metadata of a GGUF file, under its own keys, to an ``Architecture``.

Ollama lists the same keys under ``model_info``. What a key means, which layers have a sliding
window and what stands for a missing key is llama.cpp's rule (its ``load_arch_hparams``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from venom_core.sdk.architecture import (
    MAX_CONTEXT,
    MAX_EXPERTS,
    MAX_HEAD_LENGTH,
    MAX_HEADS,
    MAX_LAYERS,
    MAX_VOCABULARY,
    MAX_WIDTH,
    Architecture,
    BadNumber,
    bounded,
)

#: Family -> (one layer in how many has no window, the first or the last of them, the window where
#: the file names none). A file's own pattern wins.
_PERIODS: Mapping[str, tuple[int, bool, int | None]] = {
    "gemma2": (2, False, 4096), "gemma3": (6, False, None), "gemma3n": (5, False, None),
    "cohere2": (4, False, None), "olmo2": (4, False, None), "exaone4": (4, False, None),
    "gpt-oss": (2, False, None), "llama4": (4, False, 8192), "plamo3": (8, False, None),
    "smallthinker": (4, True, None),
}  # fmt: skip
#: Families whose files name a window that llama.cpp does not use.
_WINDOW_UNUSED = frozenset({"llama", "mistral", "phi3", "qwen2", "qwen3", "starcoder2"})
#: Families that read a text at once and keep no cache, whatever their metadata says.
_ENCODERS = frozenset({"gemma-embedding", "t5encoder", "modern-bert", "neo-bert", "eurobert"})
#: ggml's types of a tensor: bytes and elements of one block.
TENSOR_BLOCKS: Mapping[str, tuple[int, int]] = {
    "F32": (4, 1), "F16": (2, 1), "BF16": (2, 1), "F64": (8, 1), "I8": (1, 1), "I16": (2, 1),
    "I32": (4, 1), "I64": (8, 1), "Q4_0": (18, 32), "Q4_1": (20, 32), "Q5_0": (22, 32),
    "Q5_1": (24, 32), "Q8_0": (34, 32), "Q8_1": (40, 32), "Q2_K": (84, 256), "Q3_K": (110, 256),
    "Q4_K": (144, 256), "Q5_K": (176, 256), "Q6_K": (210, 256), "Q8_K": (292, 256),
    "IQ2_XXS": (66, 256), "IQ2_XS": (74, 256), "IQ3_XXS": (98, 256), "IQ1_S": (50, 256),
    "IQ4_NL": (18, 32), "IQ3_S": (110, 256), "IQ2_S": (82, 256), "IQ4_XS": (136, 256),
    "IQ1_M": (56, 256), "TQ1_0": (54, 256), "TQ2_0": (66, 256), "MXFP4": (17, 32),
    "NVFP4": (36, 64),
}  # fmt: skip
_STATE_KEYS = ("ssm.state_size", "wkv.head_size", "shortconv.l_cache", "kda.head_dim")


def tensor_bytes(kind: str, shape: Sequence[int]) -> int | None:
    """Return the bytes of a tensor; None for a type that is not known here."""
    if kind not in TENSOR_BLOCKS:
        return None
    size, elements = TENSOR_BLOCKS[kind]
    return math.prod(shape) // elements * size


def from_gguf(
    facts: Mapping[str, Any], *, weights_bytes: int | None = None, vocabulary: int | None = None
) -> Architecture:
    """Return the numbers in a GGUF file's metadata.

    Args:
        facts: values by key; an array by layer as a list, anything else may be left out.
        weights_bytes: of all tensors. vocabulary: entries, where no key tells.

    Raises ``BadNumber`` for a number that no model has.
    """
    name = facts.get("general.architecture")
    if not isinstance(name, str) or not name:
        raise BadNumber("it names no architecture")
    return _Reader(name[:100], facts).architecture(weights_bytes, vocabulary)


class _Reader:
    """One file's metadata; keys without the family's name in front."""

    def __init__(self, name: str, facts: Mapping[str, Any]) -> None:
        self._name = name
        self._facts = facts
        self._layers = self._number("block_count", MAX_LAYERS)

    def architecture(self, weights_bytes: int | None, vocabulary: int | None) -> Architecture:
        width = self._number("embedding_length", MAX_WIDTH)
        heads = max(self._rows("attention.head_count", MAX_HEADS), default=None)
        state = any(self._has(key) for key in _STATE_KEYS)
        if heads == 0 and not state:
            raise BadNumber("head_count is 0")
        own_length = width // heads if width and heads and width % heads == 0 else None
        key = self._number("attention.key_length", MAX_HEAD_LENGTH) or own_length
        value = self._number("attention.value_length", MAX_HEAD_LENGTH) or own_length
        rank = rope = expanded_key = expanded_value = None
        if self._has("attention.key_length_mla") and self._has("attention.value_length_mla"):
            rank = self._number("attention.kv_lora_rank", MAX_WIDTH)
            rope = self._number("rope.dimension_count", MAX_HEAD_LENGTH)
            expanded_key = self._number("attention.key_length_mla", MAX_HEAD_LENGTH)
            expanded_value = self._number("attention.value_length_mla", MAX_HEAD_LENGTH)
            if rank is None or rope is None:
                raise BadNumber("it has compressed attention without its dimensions")
        window = self._window()
        return Architecture(
            name=self._name,
            layers=self._layers,
            heads=heads or None,
            kv_heads=self._kv_heads(heads),
            key_length=key,
            value_length=value,
            window=window,
            windowed=self._windowed(window),
            window_key_length=self._number("attention.key_length_swa", MAX_HEAD_LENGTH),
            window_value_length=self._number("attention.value_length_swa", MAX_HEAD_LENGTH),
            shared_layers=self._shared_layers(),
            experts=self._number("expert_count", MAX_EXPERTS, zero_is_none=True),
            experts_used=self._number("expert_used_count", MAX_EXPERTS, zero_is_none=True),
            expert_feed_forward=self._most("expert_feed_forward_length"),
            kv_rank=rank,
            rope_length=rope,
            expanded_key_length=expanded_key,
            expanded_value_length=expanded_value,
            keeps_state=state,
            vocabulary=self._number("vocab_size", MAX_VOCABULARY) or vocabulary,
            embedding_length=width,
            feed_forward=self._most("feed_forward_length"),
            weights_bytes=weights_bytes,
            context_length=self._number("context_length", MAX_CONTEXT),
        )

    def _value(self, key: str) -> Any:
        return self._facts.get(f"{self._name}.{key}")

    def _has(self, key: str) -> bool:
        return self._value(key) is not None

    def _number(self, key: str, most: int, *, zero_is_none: bool = False) -> int | None:
        value = self._value(key)
        if value is None or (zero_is_none and value == 0 and not isinstance(value, bool)):
            return None
        return bounded(value, key, 1, most)

    def _rows(self, key: str, most: int) -> tuple[int, ...]:
        """Return a number for each layer: a list of them, or one for all. Empty where nothing is
        said."""
        value = self._value(key)
        if value is None or self._layers is None:
            return ()
        if not isinstance(value, list):
            return (bounded(value, key, 0, most),) * self._layers
        if len(value) < self._layers:
            raise BadNumber(f"{key} has {len(value)} entries for {self._layers} layers")
        return tuple(bounded(item, key, 0, most) for item in value[: self._layers])

    def _most(self, key: str) -> int | None:
        return max(self._rows(key, MAX_WIDTH), default=0) or None

    def _kv_heads(self, heads: int | None) -> tuple[int, ...]:
        layers = self._layers or 0
        if self._value("attention.causal") is False or self._name in _ENCODERS:
            return (0,) * layers
        rows = self._rows("attention.head_count_kv", MAX_HEADS)
        if not rows and heads is not None:
            rows = self._rows("attention.head_count", MAX_HEADS)
        interval = self._number("full_attention_interval", MAX_LAYERS)
        if interval is None:
            return rows
        return tuple(
            count if (layer + 1) % interval == 0 else 0 for layer, count in enumerate(rows)
        )

    def _window(self) -> int | None:
        found = self._number("attention.sliding_window", MAX_CONTEXT, zero_is_none=True)
        period = _PERIODS.get(self._name)
        return found or (period[2] if period else None)

    def _windowed(self, window: int | None) -> tuple[bool, ...]:
        """Return for each layer whether it has the window; empty where none has, and where the file
        does not tell and llama.cpp has no rule for its family."""
        if window is None or self._layers is None or self._name in _WINDOW_UNUSED:
            return ()
        pattern = self._value("attention.sliding_window_pattern")
        if isinstance(pattern, list):
            if len(pattern) < self._layers or not all(isinstance(row, bool) for row in pattern):
                raise BadNumber("sliding_window_pattern does not say it for each layer")
            return tuple(pattern[: self._layers])
        rule = _PERIODS.get(self._name)
        if pattern is not None:
            period = bounded(pattern, "sliding_window_pattern", 0, MAX_LAYERS)
        elif rule is not None:
            period = rule[0]
        else:
            return ()
        full = 0 if rule is not None and rule[1] else period - 1
        return tuple(period == 0 or layer % period != full for layer in range(self._layers))

    def _shared_layers(self) -> int:
        if self._name == "gemma3n":  # its first twenty layers keep the cache of all
            return max(0, (self._layers or 0) - 20)
        return bounded(
            self._value("attention.shared_kv_layers") or 0, "shared_kv_layers", 0, self._layers or 0
        )
