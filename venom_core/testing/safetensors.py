"""Tiny models in folders as transformers writes them, for tests with the real library: what they
answer stands in a table, as in :mod:`venom_core.testing.onnx`."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from venom_core.testing.onnx import (
    BOS,
    EOS,
    FIRST_WORD,
    PEAK,
    TEMPLATE,
    chain,
    tokenizer,
    write_files,
)

Matrix = Sequence[Sequence[float]]
COMMIT = "c" * 40
_HEAD, _INNER = 8, 4


def safetensors(tensors: Mapping[str, Sequence[float] | Matrix]) -> bytes:
    """Return a file of vectors and matrices in 32 bits."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = bytearray()
    for name, tensor in tensors.items():
        rows = [row for row in tensor if isinstance(row, Sequence)]
        numbers = [x for row in rows for x in row] if rows else list(tensor)
        shape = [len(rows), len(rows[0])] if rows else [len(tensor)]
        begin = len(data)
        data += struct.pack(f"<{len(numbers)}f", *numbers)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def write_llama(
    folder: Path,
    answers: Mapping[str, Sequence[str]],
    *,
    context: int = 512,
    template: str | None = TEMPLATE,
    generation: Mapping[str, Any] | None = None,
    **more: bytes | Mapping[str, Any],
) -> Path:
    """Write the folder of a language model that knows for each token the one that follows.

    Args:
        answers: see :func:`venom_core.testing.onnx.write_decoder`.
        generation: what ``generation_config.json`` says besides.
        more: further files, or others in the place of these.
    """
    words, after = chain(answers)
    size = FIRST_WORD + len(words)
    follows = [after.get(token, EOS) for token in range(size)]
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": size,
        "intermediate_size": _INNER, "num_hidden_layers": 1, "num_attention_heads": 1,
        "num_key_value_heads": 1, "head_dim": _HEAD, "vocab_size": size,
        "max_position_embeddings": context, "rms_norm_eps": 1e-12, "hidden_act": "silu",
        "tie_word_embeddings": False, "bos_token_id": BOS, "eos_token_id": EOS,
        "torch_dtype": "float32",
    }  # fmt: skip
    files: dict[str, bytes | Mapping[str, Any]] = {
        "model.safetensors": safetensors(_llama_tensors(follows)),
        "config.json": config,
        "generation_config.json": {"eos_token_id": [EOS], **(generation or {})},
        "tokenizer.json": tokenizer(words),
        "tokenizer_config.json": {"bos_token": "<bos>", "eos_token": "<eos>"},
    }
    if template is not None:
        files["chat_template.jinja"] = template.encode()
    return write_files(folder, files | more)


def _llama_tensors(follows: Sequence[int]) -> dict[str, Sequence[float] | Matrix]:
    """Return weights of one layer that adds nothing: each token is a direction of its own."""
    size, layer = len(follows), "model.layers.0"
    same = [_one(at, size, 1.0) for at in range(size)]
    head = [[0.0] * size for _ in range(size)]
    for token, follower in enumerate(follows):
        head[follower][token] = PEAK
    rows = {"q": _HEAD, "k": _HEAD, "v": _HEAD}
    attention = {
        f"{layer}.self_attn.{name}_proj.weight": _zeros(count, size) for name, count in rows.items()
    }
    return {
        "model.embed_tokens.weight": same,
        **attention,
        f"{layer}.self_attn.o_proj.weight": _zeros(size, _HEAD),
        f"{layer}.mlp.gate_proj.weight": _zeros(_INNER, size),
        f"{layer}.mlp.up_proj.weight": _zeros(_INNER, size),
        f"{layer}.mlp.down_proj.weight": _zeros(size, _INNER),
        f"{layer}.input_layernorm.weight": [1.0] * size,
        f"{layer}.post_attention_layernorm.weight": [1.0] * size,
        "model.norm.weight": [1.0 / math.sqrt(size)] * size,
        "lm_head.weight": head,
    }


def write_bert(folder: Path, vectors: Matrix, *, context: int = 64, pooling: str = "mean") -> Path:
    """Write the folder of a model that embeds: a vector for each token, whatever stands around.

    Args:
        vectors: one a token, of an even width; what comes out has mean 0 and one variance.
        pooling: ``mean``, ``cls`` or ``last``.
    """
    width = len(vectors[0])
    config = {
        "architectures": ["BertModel"], "model_type": "bert", "hidden_size": width,
        "vocab_size": len(vectors), "num_attention_heads": 1, "num_hidden_layers": 0,
        "intermediate_size": _INNER, "max_position_embeddings": context, "type_vocab_size": 2,
        "pad_token_id": EOS, "torch_dtype": "float32",
    }  # fmt: skip
    tensors: dict[str, Sequence[float] | Matrix] = {
        "embeddings.word_embeddings.weight": vectors,
        "embeddings.position_embeddings.weight": _zeros(context, width),
        "embeddings.token_type_embeddings.weight": _zeros(2, width),
        "embeddings.LayerNorm.weight": [1.0] * width,
        "embeddings.LayerNorm.bias": [0.0] * width,
        "pooler.dense.weight": _zeros(width, width),
        "pooler.dense.bias": [0.0] * width,
    }
    modes = {"mean": "mean_tokens", "cls": "cls_token", "last": "lasttoken"}
    return write_files(
        folder,
        {
            "model.safetensors": safetensors(tensors),
            "config.json": config,
            "modules.json": json.dumps(_modules("Transformer", "Pooling", "Normalize")).encode(),
            "1_Pooling/config.json": {
                f"pooling_mode_{mode}": name == pooling for name, mode in modes.items()
            },
            "tokenizer.json": tokenizer(),
            "tokenizer_config.json": {"bos_token": "<bos>"},
        },
    )


def _modules(*names: str) -> list[dict[str, Any]]:
    return [
        {"idx": at, "name": str(at), "path": f"{at}_{name}" if at else "",
         "type": f"sentence_transformers.models.{name}"}
        for at, name in enumerate(names)
    ]  # fmt: skip


def write_snapshot(cache: Path, plain: Path, repo: str = "org/name") -> Path:
    """Put a folder into a Hugging Face cache as its library does: links to blobs."""
    repository = cache / f"models--{repo.replace('/', '--')}"
    snapshot = repository / "snapshots" / COMMIT
    (repository / "blobs").mkdir(parents=True)
    for at, path in enumerate(sorted(path for path in plain.rglob("*") if path.is_file())):
        blob = repository / "blobs" / f"{at:064x}"
        path.rename(blob)
        link = snapshot / path.relative_to(plain)
        link.parent.mkdir(parents=True, exist_ok=True)
        up = "/".join([".."] * (len(link.relative_to(repository).parts) - 1))
        link.symlink_to(f"{up}/blobs/{blob.name}")
    (repository / "refs").mkdir(exist_ok=True)
    (repository / "refs" / "main").write_text(COMMIT, encoding="ascii")
    return snapshot


def _zeros(rows: int, columns: int) -> Matrix:
    return [[0.0] * columns for _ in range(rows)]


def _one(at: int, size: int, value: float) -> list[float]:
    row = [0.0] * size
    row[at] = value
    return row
