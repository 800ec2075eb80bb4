"""From a ``config.json`` as transformers writes it to an ``Architecture``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from venom_core.sdk.architecture import (
    MAX_BYTES,
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

#: What a configuration leaves out because its class has it; source: transformers'
#: ``Gemma3TextConfig``. The published files of Gemma 3 4B and larger do leave it out.
_CLASS_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "gemma3_text": {
        "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "vocab_size": 262_208,
        "sliding_window": 4096, "max_position_embeddings": 131_072,
    },
}  # fmt: skip
#: One layer in how many has no window, where the configuration has a window and no pattern.
_PERIODS = {"gemma2": 2, "gemma3_text": 6, "cohere2": 4}
#: Families in which every layer has the window that the configuration names.
_ALL_WINDOWED = frozenset({"mistral", "mixtral", "phi3", "starcoder2"})
_STATE_KEYS = (
    "state_size",
    "mamba_d_state",
    "ssm_state_size",
    "linear_num_value_heads",
    "conv_L_cache",
)


def from_config_json(
    config: Mapping[str, Any], *, weights_bytes: int | None = None
) -> Architecture:
    """Return the numbers in a parsed ``config.json``; of a model that also sees, those of its text
    part.

    Args:
        weights_bytes: of the files with the weights; the configuration does not tell.

    Raises ``BadNumber`` for a number that no model has.
    """
    if not isinstance(config, Mapping):
        raise BadNumber("config.json holds no object")
    text = config.get("text_config")
    inner: Mapping[str, Any] = text if isinstance(text, Mapping) else config
    family = inner.get("model_type") or config.get("model_type")
    if not isinstance(family, str) or not family:
        raise BadNumber("it names no model_type")
    if weights_bytes is not None:
        bounded(weights_bytes, "weights_bytes", 1, MAX_BYTES)
    known = {**_CLASS_DEFAULTS.get(family, {}), **{k: v for k, v in inner.items() if v is not None}}
    return _Reader(family[:100], known, inner).architecture(weights_bytes)


class _Reader:
    """One configuration. ``said`` is what it says itself: a null there ends a class's default."""

    def __init__(self, family: str, config: Mapping[str, Any], said: Mapping[str, Any]) -> None:
        self._family = family
        self._config = config
        self._said = said
        self._layers = self._number(MAX_LAYERS, "num_hidden_layers", "n_layer", "num_layers")

    def architecture(self, weights_bytes: int | None) -> Architecture:
        number = self._number
        width = number(MAX_WIDTH, "hidden_size", "n_embd", "d_model")
        heads = number(MAX_HEADS, "num_attention_heads", "n_head")
        own = width // heads if width and heads and width % heads == 0 else None
        length = number(MAX_HEAD_LENGTH, "head_dim") or own
        rank = number(MAX_WIDTH, "kv_lora_rank")
        rope = nope = value = None
        if rank is not None:
            rope = number(MAX_HEAD_LENGTH, "qk_rope_head_dim")
            nope = number(MAX_HEAD_LENGTH, "qk_nope_head_dim")
            value = number(MAX_HEAD_LENGTH, "v_head_dim")
            if rope is None or nope is None or value is None:
                raise BadNumber("it has compressed attention without its dimensions")
        window = self._window()
        return Architecture(
            name=self._family,
            layers=self._layers,
            heads=heads,
            kv_heads=self._kv_heads(heads),
            key_length=rope + nope if rope and nope else length,
            value_length=value or length,
            window=window,
            windowed=self._windowed(window),
            experts=number(
                MAX_EXPERTS, "num_local_experts", "num_experts", "n_routed_experts", zero=True
            ),
            experts_used=number(MAX_EXPERTS, "num_experts_per_tok", zero=True),
            expert_feed_forward=number(MAX_WIDTH, "moe_intermediate_size"),
            kv_rank=rank,
            rope_length=rope,
            expanded_key_length=rope + nope if rope and nope else None,
            expanded_value_length=value,
            keeps_state=any(key in self._config for key in _STATE_KEYS),
            vocabulary=number(MAX_VOCABULARY, "vocab_size"),
            embedding_length=width,
            feed_forward=number(MAX_WIDTH, "intermediate_size", "n_inner", "ffn_dim"),
            weights_bytes=weights_bytes,
            context_length=number(MAX_CONTEXT, "max_position_embeddings", "n_positions"),
        )

    def _number(self, most: int, *names: str, zero: bool = False) -> int | None:
        """Return the first of ``names`` that is there; with ``zero``, 0 means that there is
        none."""
        for name in names:
            value = self._config.get(name)
            if value is not None:
                if zero and value == 0 and not isinstance(value, bool):
                    return None
                return bounded(value, name, 1, most)
        return None

    def _kv_heads(self, heads: int | None) -> tuple[int, ...]:
        count = self._number(MAX_HEADS, "num_key_value_heads") or heads
        if count is None or self._layers is None:
            return ()
        kinds = self._kinds()
        if kinds is None:
            return (count,) * self._layers
        return tuple(count if kind.endswith("attention") else 0 for kind in kinds)

    def _kinds(self) -> tuple[str, ...] | None:
        """Return the kind of each layer, where the configuration lists it; ``none`` has no
        cache."""
        kinds = self._config.get("layer_types")
        if kinds is None:
            return None
        if not isinstance(kinds, list) or len(kinds) != self._layers:
            raise BadNumber("layer_types does not name each layer")
        known = ("full_attention", "sliding_attention", "chunked_attention", "attention")
        return tuple(kind if kind in known else "none" for kind in kinds)

    def _window(self) -> int | None:
        if self._config.get("use_sliding_window") is False:
            return None
        if "sliding_window" in self._said and self._said["sliding_window"] is None:
            return None
        return self._number(MAX_CONTEXT, "sliding_window", "attention_chunk_size")

    def _windowed(self, window: int | None) -> tuple[bool, ...]:
        """Return for each layer whether it has the window; empty where none has or it is not
        said."""
        if window is None or self._layers is None:
            return ()
        if kinds := self._kinds():
            return tuple(kind in ("sliding_attention", "chunked_attention") for kind in kinds)
        layers = range(self._layers)
        if self._config.get("use_sliding_window") is True:  # Qwen 2: the lower layers have none
            first = self._config.get("max_window_layers", 0)
            first = bounded(first, "max_window_layers", 0, MAX_CONTEXT)
            return tuple(layer >= first for layer in layers)
        period = self._number(MAX_LAYERS, "sliding_window_pattern") or _PERIODS.get(self._family)
        if period is not None:
            return tuple((layer + 1) % period != 0 for layer in layers)
        return (True,) * self._layers if self._family in _ALL_WINDOWED else ()
