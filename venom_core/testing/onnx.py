"""Tiny ONNX models for tests, written byte by byte: what the real runtime loads in milliseconds.

The decoder knows for each token the one that follows, and nothing else; so what it answers stands
in its table. The encoder gives each token a vector of its own.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

_FLOAT, _INT64 = 1, 7
#: The bytes as tokens, in the alphabet that byte-level tokenizers write them in.
BYTES = 256
BOS, EOS = 256, 257
#: Beside these, one token for each word.
FIRST_WORD = 258
#: Logit of the token that follows; of every other one it is 0.
PEAK = 10.0

#: Answers of a trial, by the last character of what is asked; see :func:`write_decoder`.
ANSWERS = {
    "?": [" Poland's", " capital", " is", " Warsaw."],
    "!": ["The", " sea", " żółw", " swims", " wide", " and", ""],
}
#: Vectors of a trial, one a token, no two alike.
VECTORS = [[((token * 37 + at * 11) % 23) - 11.0 for at in range(8)] for token in range(FIRST_WORD)]


def varint(number: int) -> bytes:
    """Return a whole number as protobuf writes it; a negative one takes all of 64 bits."""
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def number(field: int, value: int) -> bytes:
    """Return a field that holds a whole number."""
    return varint(field << 3) + varint(value)


def held(field: int, content: bytes | str) -> bytes:
    """Return a field that holds bytes, a text or a message."""
    data = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(data)) + data


def _node(kind: str, inputs: Sequence[str], output: str, **attributes: int) -> bytes:
    names = b"".join(held(1, name) for name in inputs) + held(2, output) + held(4, kind)
    told = (held(1, name) + number(3, value) + number(20, 2) for name, value in attributes.items())
    return names + b"".join(held(5, one) for one in told)


def _tensor(name: str, shape: Sequence[int], kind: int, data: bytes) -> bytes:
    dims = b"".join(number(1, size) for size in shape)
    return dims + number(2, kind) + held(8, name) + held(9, data)


def _value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(
        held(1, held(2, size) if isinstance(size, str) else number(1, size)) for size in shape
    )
    return held(1, name) + held(2, held(1, number(1, kind) + held(2, dims)))


def _model(
    nodes: Iterable[bytes],
    tensors: Iterable[bytes],
    inputs: Iterable[bytes],
    outputs: Iterable[bytes],
) -> bytes:
    parts = [held(1, node) for node in nodes] + [held(2, "tiny")]
    parts += [held(5, tensor) for tensor in tensors]
    parts += [held(11, one) for one in inputs] + [held(12, one) for one in outputs]
    return number(1, 9) + held(7, b"".join(parts)) + held(8, number(2, 17))


def decoder_bytes(follows: Mapping[int, int], vocabulary: int) -> bytes:
    """Return a decoder of one layer: after token ``t`` comes ``follows[t]``, else the end."""
    table = bytearray()
    for token in range(vocabulary):
        row = [0.0] * vocabulary
        row[follows.get(token, EOS)] = PEAK
        table += struct.pack(f"<{vocabulary}f", *row)
    caches = ("key", "value")
    nodes = [
        _node("Gather", ("table", "input_ids"), "logits", axis=0),
        _node("Cast", ("input_ids",), "numbers", to=_FLOAT),
        _node("Unsqueeze", ("numbers", "axes"), "cells"),
        *(
            _node("Concat", (f"past_key_values.0.{one}", "cells"), f"present.0.{one}", axis=2)
            for one in caches
        ),
    ]
    tensors = [
        _tensor("table", (vocabulary, vocabulary), _FLOAT, bytes(table)),
        _tensor("axes", (2,), _INT64, struct.pack("<2q", 1, 3)),
    ]
    inputs = [
        _value("input_ids", _INT64, ("batch", "new")),
        _value("attention_mask", _INT64, ("batch", "all")),
        *(_value(f"past_key_values.0.{one}", _FLOAT, ("batch", 1, "past", 1)) for one in caches),
    ]
    outputs = [
        _value("logits", _FLOAT, ("batch", "new", vocabulary)),
        *(_value(f"present.0.{one}", _FLOAT, ("batch", 1, "all", 1)) for one in caches),
    ]
    return _model(nodes, tensors, inputs, outputs)


def encoder_bytes(vectors: Sequence[Sequence[float]]) -> bytes:
    """Return an encoder whose output for token ``t`` is ``vectors[t]``, whatever stands around."""
    width = len(vectors[0])
    table = b"".join(struct.pack(f"<{width}f", *vector) for vector in vectors)
    nodes = [_node("Gather", ("table", "input_ids"), "last_hidden_state", axis=0)]
    inputs = [_value(name, _INT64, ("batch", "all")) for name in ("input_ids", "attention_mask")]
    outputs = [_value("last_hidden_state", _FLOAT, ("batch", "all", width))]
    return _model(nodes, [_tensor("table", (len(vectors), width), _FLOAT, table)], inputs, outputs)


def _alphabet() -> list[str]:
    """Return the character that stands for each byte in a byte-level tokenizer."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (chr(256 + place) for place in range(BYTES))
    return [chr(byte) if byte in plain else next(others) for byte in range(BYTES)]


def tokenizer(words: Sequence[str] = ()) -> dict[str, Any]:
    """Return a ``tokenizer.json``: a token for each byte, for begin and end, and for each word."""
    names = [*_alphabet(), "<bos>", "<eos>"]
    special = [
        {"id": at, "content": names[at], "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": True}
        for at in (BOS, EOS)
    ]  # fmt: skip
    added = [
        {**special[0], "id": FIRST_WORD + at, "content": word, "special": False}
        for at, word in enumerate(words)
    ]
    single = [
        {"SpecialToken": {"id": "<bos>", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
    ]
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [*special, *added], "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                          "use_regex": False},
        "post_processor": {
            "type": "TemplateProcessing", "single": single,
            "pair": [*single, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {"<bos>": {"id": "<bos>", "ids": [BOS], "tokens": ["<bos>"]}},
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True,
                    "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None,
                  "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": False, "byte_fallback": False,
                  "vocab": {name: at for at, name in enumerate(names)}, "merges": []},
    }  # fmt: skip


TEMPLATE = "{{ bos_token }}{% for m in messages %}{{ m['content'] }}{% endfor %}"
#: One that shows tools.
TOOLS_TEMPLATE = "{% if tools %}{{ tools | tojson }}{% endif %}" + TEMPLATE


def chain(answers: Mapping[str, Sequence[str]]) -> tuple[list[str], dict[int, int]]:
    """Return the words of answers, and by token the one that follows; see :func:`write_decoder`."""
    words = [word for answer in answers.values() for word in answer if word]
    tokens = {word: FIRST_WORD + at for at, word in enumerate(words)}
    if len(tokens) < len(words) or any(len(word) < 2 for word in words):
        raise ValueError(f"words of two characters at least, each once: {words}")
    after: dict[int, int] = {}
    for mark, answer in answers.items():
        path = [ord(mark), *(tokens[word or answer[0]] for word in answer)]
        after |= dict(pairwise(path))
    return words, after


def write_decoder(
    folder: Path,
    answers: Mapping[str, Sequence[str]],
    *,
    context: int = 512,
    template: str | None = TEMPLATE,
    search: Mapping[str, Any] | None = None,
    follows: Mapping[int, int] | None = None,
) -> Path:
    """Write the folder of a language model that onnxruntime-genai loads.

    Args:
        answers: by the last character of a prompt, of one byte, the words of the answer. Each has
            two characters at least and stands in one place of one answer only; an empty one
            stands for going back to the first, without end.
        follows: further tokens, each with the one that comes after it.
    """
    words, after = chain(answers)
    after |= follows or {}
    vocabulary = FIRST_WORD + len(words)
    files: dict[str, bytes | dict[str, Any]] = {
        "model.onnx": decoder_bytes(after, vocabulary),
        "genai_config.json": genai_config(vocabulary, context, search or {}),
        "tokenizer.json": tokenizer(words),
        "tokenizer_config.json": {"bos_token": "<bos>", "eos_token": "<eos>"},
    }
    if template is not None:
        files["chat_template.jinja"] = template.encode()
    return write_files(folder, files)


def genai_config(vocabulary: int, context: int, search: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``genai_config.json`` of a decoder."""
    past = {f"past_{one}_names": f"past_key_values.%d.{one}" for one in ("key", "value")}
    present = {f"present_{one}_names": f"present.%d.{one}" for one in ("key", "value")}
    decoder = {
        "filename": "model.onnx", "head_size": 1, "hidden_size": 8, "num_attention_heads": 1,
        "num_key_value_heads": 1, "num_hidden_layers": 1,
        "session_options": {"provider_options": []},
        "inputs": {"input_ids": "input_ids", "attention_mask": "attention_mask", **past},
        "outputs": {"logits": "logits", **present},
    }  # fmt: skip
    return {
        "model": {
            "type": "llama", "context_length": context, "vocab_size": vocabulary,
            "bos_token_id": BOS, "eos_token_id": [EOS], "pad_token_id": EOS, "decoder": decoder,
        },
        "search": {"max_length": context, "past_present_share_buffer": False, **search},
    }  # fmt: skip


def write_encoder(
    folder: Path, vectors: Sequence[Sequence[float]], *, pooling: str = "mean", **config: Any
) -> Path:
    """Write the folder of an embedding model, as sentence-transformers lays it out.

    Args:
        pooling: ``mean``, ``cls`` or ``last``.
        config: what ``config.json`` says besides.
    """
    modes = {"mean": "mean_tokens", "cls": "cls_token", "last": "lasttoken"}
    chosen = {f"pooling_mode_{mode}": name == pooling for name, mode in modes.items()}
    described = {"model_type": "bert", "hidden_size": len(vectors[0]), "vocab_size": len(vectors),
                 "num_attention_heads": 1, "num_hidden_layers": 1, "intermediate_size": 4,
                 "max_position_embeddings": 64}  # fmt: skip
    return write_files(
        folder,
        {
            "model.onnx": encoder_bytes(vectors),
            "config.json": {**described, **config},
            "1_Pooling/config.json": chosen,
            "tokenizer.json": tokenizer(),
            "tokenizer_config.json": {"bos_token": "<bos>"},
        },
    )


def write_files(folder: Path, files: Mapping[str, bytes | str | Mapping[str, Any]]) -> Path:
    """Write files into a folder: texts as they are, objects as JSON."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, bytes | str) else json.dumps(content)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return folder
