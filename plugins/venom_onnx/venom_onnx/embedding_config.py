"""Read from the files of sentence-transformers beside an embedding model how it embeds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from venom_core.sdk.architecture import Architecture, BadNumber
from venom_core.sdk.architecture_config import from_config_json
from venom_core.sdk.model_json import json_of
from venom_core.sdk.model_refusals import damaged, not_served
from venom_core.sdk.sentence_transformers import Pooling, embed_length, normalizes, pooling_of
from venom_onnx.onnx_file import OnnxGraph

MODEL_NAMES = ("model.onnx", "onnx/model.onnx")
INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids", "position_ids"})
#: What its graph gives: a vector for each token, or one for the whole text.
TOKEN_OUTPUTS = ("last_hidden_state", "token_embeddings", "hidden_states")
TEXT_OUTPUTS = ("sentence_embedding", "text_embeds", "pooled_embeddings")


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
        length = embed_length(folder, config)
        described = from_config_json(config, weights_bytes=weights_bytes) if config else None
    except BadNumber as error:
        raise damaged(f"The model's configuration cannot be used: {error}.") from error
    return EmbeddingConfig(
        None if whole else pooling_of(folder), normalizes(folder), length, described
    )
