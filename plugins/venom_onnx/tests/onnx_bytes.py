"""ONNX files and model folders made byte by byte, so that they can be wrong in every place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from venom_core.testing.onnx import held, number, write_files
from venom_onnx.folder import OnnxFolder, read_folder

FLOAT, INT64, TEXTS = 1, 7, 8
Entries = tuple[tuple[str, str], ...]


def entry(key: str, value: str) -> bytes:
    return held(13, held(1, key) + held(2, value))


def tensor(
    dims: tuple[int, ...], *, kind: int = FLOAT, raw: bytes | None = None, more: bytes = b""
) -> bytes:
    """Return a TensorProto named ``w``."""
    shape = b"".join(number(1, size) for size in dims)
    data = b"" if raw is None else held(9, raw)
    return shape + number(2, kind) + held(8, "w") + data + more


def stored(
    location: str,
    dims: tuple[int, ...] = (4,),
    *,
    offset: str | None = "0",
    length: str | None = "16",
    kind: int = FLOAT,
    more: bytes = b"",
) -> bytes:
    """Return a tensor whose bytes lie in another file."""
    told = entry("location", location)
    told += b"" if offset is None else entry("offset", offset)
    told += b"" if length is None else entry("length", length)
    return tensor(dims, kind=kind, more=told + number(14, 1) + more)


def node(
    kind: str = "Add", domain: str = "", *, attribute: bytes = b"", more: bytes = b""
) -> bytes:
    """Return a NodeProto; ``attribute`` is the content of an AttributeProto."""
    parts = held(1, "x") + held(1, "w") + held(2, "y") + held(4, kind)
    parts += held(7, domain) if domain else b""
    return parts + (held(5, attribute) if attribute else b"") + more


def value(name: str) -> bytes:
    shape = held(1, number(1, 4))
    return held(1, name) + held(2, held(1, number(1, FLOAT) + held(2, shape)))


def graph(
    *tensors: bytes,
    nodes: tuple[bytes, ...] = (),
    inputs: tuple[str, ...] = ("x",),
    outputs: tuple[str, ...] = ("y",),
    more: bytes = b"",
) -> bytes:
    """Return a GraphProto that adds ``w`` to ``x``."""
    parts = [held(1, one) for one in nodes or (node(),)]
    parts += [held(2, "graph"), *(held(5, one) for one in tensors)]
    parts += [held(11, value(name)) for name in inputs]
    parts += [held(12, value(name)) for name in outputs]
    return b"".join(parts) + more


def model(content: bytes, more: bytes = b"") -> bytes:
    """Return a ModelProto around a graph."""
    return number(1, 9) + held(7, content) + held(8, number(2, 17)) + more


GENAI: Mapping[str, Any] = {
    "model": {
        "bos_token_id": 2,
        "context_length": 64,
        "decoder": {
            "session_options": {"log_id": "onnxruntime-genai", "provider_options": []},
            "filename": "model.onnx",
            "head_size": 8,
            "hidden_size": 16,
            "inputs": {
                "input_ids": "input_ids",
                "attention_mask": "attention_mask",
                "past_key_names": "past_key_values.%d.key",
                "past_value_names": "past_key_values.%d.value",
            },
            "outputs": {
                "logits": "logits",
                "present_key_names": "present.%d.key",
                "present_value_names": "present.%d.value",
            },
            "num_attention_heads": 4,
            "num_hidden_layers": 3,
            "num_key_value_heads": 2,
        },
        "eos_token_id": [1, 106],
        "pad_token_id": 0,
        "type": "llama",
        "vocab_size": 32,
    },
    "search": {
        "do_sample": True,
        "early_stopping": True,
        "max_length": 64,
        "num_beams": 1,
        "past_present_share_buffer": True,
        "temperature": 1.0,
        "top_k": 64,
        "top_p": 0.95,
    },
}


def changed(**at: Any) -> dict[str, Any]:
    """Return ``GENAI`` with a value elsewhere: ``model__decoder__head_size=0``; ``...`` takes it
    away."""
    config: dict[str, Any] = json.loads(json.dumps(GENAI))
    for path, content in at.items():
        *parents, last = path.split("__")
        place = config
        for parent in parents:
            place = place.setdefault(parent, {})
        if content is ...:
            del place[last]
        else:
            place[last] = content
    return config


DATA = bytes(range(16))


def genai_folder(folder: Path, **more: bytes | str | dict[str, Any]) -> Path:
    """Make a language model's folder, with its weights in a file beside it."""
    outputs = ("logits",)
    content = graph(stored("model.onnx.data"), inputs=("input_ids",), outputs=outputs)
    return write_files(
        folder,
        {
            "genai_config.json": changed(),
            "model.onnx": model(content),
            "model.onnx.data": DATA,
            "tokenizer.json": {"model": {"type": "BPE", "vocab": {}, "merges": []}},
            "tokenizer_config.json": {"tokenizer_class": "LlamaTokenizer"},
            **more,
        },
    )


def embedding_folder(folder: Path, **more: bytes | str | dict[str, Any]) -> Path:
    """Make an embedding model's folder, as sentence-transformers lays it out."""
    inputs = ("input_ids", "attention_mask", "token_type_ids")
    content = graph(tensor((4,), raw=DATA), inputs=inputs, outputs=("last_hidden_state",))
    return write_files(
        folder,
        {
            "onnx/model.onnx": model(content),
            "config.json": {
                "model_type": "bert", "hidden_size": 384, "num_attention_heads": 12,
                "num_hidden_layers": 6, "max_position_embeddings": 512, "vocab_size": 30522,
                "intermediate_size": 1536,
            },
            "modules.json": '[{"idx": 2, "type": "sentence_transformers.models.Normalize"}]',
            "1_Pooling/config.json": {
                "word_embedding_dimension": 384, "pooling_mode_cls_token": False,
                "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False,
            },
            "sentence_bert_config.json": {"max_seq_length": 256},
            "tokenizer.json": {"model": {}},
            "tokenizer_config.json": {"model_max_length": 10**30},
            **more,
        },
    )  # fmt: skip


def looked_at(path: Path) -> OnnxFolder:
    """Return what was found of a folder that may be run."""
    found = read_folder(path)
    assert found.reason is None, found.reason
    return found
