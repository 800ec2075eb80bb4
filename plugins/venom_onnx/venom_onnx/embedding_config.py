"""Read from the files of sentence-transformers beside an embedding model how it embeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from venom_core.sdk.architecture import MAX_CONTEXT, Architecture, BadNumber, bounded
from venom_core.sdk.architecture_config import from_config_json
from venom_onnx.containment import there
from venom_onnx.json_files import json_of, read_json
from venom_onnx.onnx_file import OnnxGraph
from venom_onnx.refusals import damaged, not_served

Pooling = Literal["mean", "cls", "last"]
MODEL_NAMES = ("model.onnx", "onnx/model.onnx")
POOLING_FILE = "1_Pooling/config.json"
INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids", "position_ids"})
#: What its graph gives: a vector for each token, or one for the whole text.
TOKEN_OUTPUTS = ("last_hidden_state", "token_embeddings", "hidden_states")
TEXT_OUTPUTS = ("sentence_embedding", "text_embeds", "pooled_embeddings")
_KINDS: Mapping[str, Pooling] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_lasttoken": "last",
}


@dataclass(frozen=True, slots=True)
class EmbeddingConfig:
    """The way a model embeds. ``pooling`` is None where its graph does that itself."""

    pooling: Pooling | None
    normalize: bool
    context_length: int | None
    architecture: Architecture | None


def read_embedding(folder: Path, graph: OnnxGraph, weights_bytes: int) -> EmbeddingConfig:
    """Read how a model embeds. Raises the refusal where it is none that is served."""
    if not set(graph.inputs) <= INPUTS or "input_ids" not in graph.inputs:
        raise not_served("The model takes something else than one text, or goes on with one.")
    whole = any(name in TEXT_OUTPUTS for name in graph.outputs)
    if not whole and not any(name in TOKEN_OUTPUTS for name in graph.outputs):
        raise not_served("The model does not embed: its graph gives no vectors.")
    config = json_of(folder, "config.json")
    try:
        length = _context_length(folder, config)
        described = from_config_json(config, weights_bytes=weights_bytes) if config else None
    except BadNumber as error:
        raise damaged(f"The model's configuration cannot be used: {error}.") from error
    return EmbeddingConfig(None if whole else _pooling(folder), _normal(folder), length, described)


def _pooling(folder: Path) -> Pooling:
    """Return how the vectors of tokens become one; the mean where the folder does not say, as
    sentence-transformers takes it."""
    file = there(folder, POOLING_FILE)
    if file is None:
        return "mean"
    config = read_json(file)
    chosen = [name for name in config if name.startswith("pooling_mode_") and config[name] is True]
    named = config.get("pooling_mode")
    for kind in _KINDS.values():
        if not chosen and named in (kind, f"{kind}token"):
            return kind
    if len(chosen) != 1 or chosen[0] not in _KINDS:
        raise not_served("The model makes one vector of several in a way that is not served.")
    return _KINDS[chosen[0]]


def _normal(folder: Path) -> bool:
    """Return whether the last of its modules makes a vector's length 1."""
    file = there(folder, "modules.json")
    if file is None:
        return False
    return b"Normalize" in file.read(64 * 1024)


def _context_length(folder: Path, config: Mapping[str, Any]) -> int | None:
    """Return the least that its files say; a tokenizer without a bound has a number of 31 digits,
    which counts as none."""
    tokenizer: Any = json_of(folder, "tokenizer_config.json").get("model_max_length")
    if type(tokenizer) in (int, float) and tokenizer > MAX_CONTEXT:
        tokenizer = None
    said = [
        json_of(folder, "sentence_bert_config.json").get("max_seq_length"),
        config.get("max_position_embeddings"),
        tokenizer,
    ]
    lengths = (bounded(n, "the context length", 1, MAX_CONTEXT) for n in said if n is not None)
    return min(lengths, default=None)
