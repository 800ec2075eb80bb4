"""A Gemma 3 in GGUF as a folder of the Hugging Face form, for what reads no GGUF.

``python tools/gemma_folder.py GGUF FOLDER TEMPLATE``, run by an environment with the packages of
`requirements/gguf.txt`: our own has none of them. Tests and benchmarks alone use it.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

#: A tensor of a layer, as the two forms call it.
LAYER = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm", "attn_norm": "input_layernorm",
    "post_attention_norm": "post_attention_layernorm", "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm", "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}  # fmt: skip
WHOLE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}
#: One layer of so many sees everything; the others see a window.
PATTERN = 6
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4
PAD, EOS, BOS = 0, 1, 2
SPECIAL = {
    "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>",
}  # fmt: skip
SPACE = "\u2581"


def main(source: Path, folder: Path, template: Path) -> None:
    """Write the folder; its files appear one by one, `config.json` last."""
    import gguf

    reader = gguf.GGUFReader(source)
    value = {name: field.contents for name, field in reader.fields.items()}
    folder.mkdir(parents=True)
    write_weights(reader, folder / "model.safetensors")
    shutil.copyfile(template, folder / "chat_template.jinja")
    tokens = value["tokenizer.ggml.tokens"]()
    scores, kinds = value["tokenizer.ggml.scores"](), value["tokenizer.ggml.token_type"]()
    _write(folder / "tokenizer.json", tokenizer(tokens, scores, kinds))
    config = config_of({name: get() for name, get in value.items() if name.startswith("gemma3.")})
    _write(folder / "special_tokens_map.json", SPECIAL)
    _write(folder / "tokenizer_config.json", {
        **SPECIAL, "tokenizer_class": "GemmaTokenizerFast", "add_bos_token": True,
        "add_eos_token": False, "clean_up_tokenization_spaces": False,
        "model_max_length": config["max_position_embeddings"],
        "chat_template": template.read_text(encoding="utf-8"),
    })  # fmt: skip
    _write(folder / "generation_config.json", {
        "bos_token_id": BOS, "eos_token_id": [EOS], "pad_token_id": PAD, "do_sample": False,
    })  # fmt: skip
    _write(folder / "config.json", {**config, "vocab_size": len(tokens)})


def write_weights(reader: Any, target: Path) -> None:
    """Write every tensor in 16 bits."""
    import ml_dtypes
    import numpy as np
    from gguf.quants import dequantize
    from safetensors.numpy import save_file

    tensors = {}
    for tensor in reader.tensors:
        weights = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        weights = weights.reshape([int(size) for size in reversed(tensor.shape)])
        if tensor.name.endswith("norm.weight"):
            weights = weights - 1.0  # GGUF has Gemma's norms as what is multiplied with
        tensors[name_of(tensor.name)] = weights.astype(ml_dtypes.bfloat16)
    save_file(tensors, str(target), metadata={"format": "pt"})


def name_of(name: str) -> str:
    """Return what transformers calls a tensor of a GGUF file. Raises ``KeyError`` for others."""
    name = name.removesuffix(".weight")
    if not name.startswith("blk."):
        return f"{WHOLE[name]}.weight"
    _, number, part = name.split(".")
    return f"model.layers.{number}.{LAYER[part]}.weight"


def config_of(value: dict[str, Any]) -> dict[str, Any]:
    """Return ``config.json``, but for the size of the vocabulary, by the file's own numbers."""
    layers, heads = int(value["gemma3.block_count"]), int(value["gemma3.attention.head_count"])
    width = int(value["gemma3.attention.key_length"])
    every = ["sliding_attention"] * (PATTERN - 1) + ["full_attention"]
    return {
        "architectures": ["Gemma3ForCausalLM"],
        "model_type": "gemma3_text",
        "hidden_size": int(value["gemma3.embedding_length"]),
        "intermediate_size": int(value["gemma3.feed_forward_length"]),
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": int(value["gemma3.attention.head_count_kv"]),
        "head_dim": width,
        "query_pre_attn_scalar": width,
        "max_position_embeddings": int(value["gemma3.context_length"]),
        "rms_norm_eps": float(f"{value['gemma3.attention.layer_norm_rms_epsilon']:.3g}"),
        "rope_theta": float(value["gemma3.rope.freq_base"]),
        "rope_local_base_freq": 10_000.0,
        "rope_scaling": None,
        "sliding_window": int(value["gemma3.attention.sliding_window"]),
        "sliding_window_pattern": PATTERN,
        "layer_types": (every * layers)[:layers],
        "hidden_activation": "gelu_pytorch_tanh",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "attn_logit_softcapping": None,
        "final_logit_softcapping": None,
        "tie_word_embeddings": True,
        "use_cache": True,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "pad_token_id": PAD,
        "torch_dtype": "bfloat16",
        "initializer_range": 0.02,
    }


def tokenizer(tokens: list[str], scores: list[float], kinds: list[int]) -> dict[str, Any]:
    """Return ``tokenizer.json``."""
    vocabulary = {token: number for number, token in enumerate(tokens)}
    added = [
        {"id": number, "content": tokens[number], "single_word": False, "lstrip": False,
         "rstrip": False, "normalized": False, "special": kind == CONTROL}
        for number, kind in enumerate(kinds) if kind in (CONTROL, USER_DEFINED)
    ]  # fmt: skip
    bos = {"SpecialToken": {"id": "<bos>", "type_id": 0}}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
        "pre_tokenizer": {
            "type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious",
            "invert": False,
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [bos, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [
                bos, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "<bos>", "type_id": 1}},
                {"Sequence": {"id": "B", "type_id": 1}},
            ],
            "special_tokens": {"<bos>": {"id": "<bos>", "ids": [BOS], "tokens": ["<bos>"]}},
        },
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
                {"type": "ByteFallback"}, {"type": "Fuse"},
            ],
        },
        "model": {
            "type": "BPE", "dropout": None, "unk_token": "<unk>", "fuse_unk": True,
            "continuing_subword_prefix": None, "end_of_word_suffix": None, "byte_fallback": True,
            "ignore_merges": False, "vocab": vocabulary,
            "merges": merges(vocabulary, scores, kinds),
        },
    }  # fmt: skip


def merges(
    vocabulary: dict[str, int], scores: list[float], kinds: list[int]
) -> list[tuple[str, str]]:
    """Return the pairs of tokens that make a token, the likeliest result first: GGUF keeps the
    results with their scores alone."""
    found = []
    for word, number in vocabulary.items():
        if kinds[number] != NORMAL:
            continue
        halves = [
            (vocabulary[word[:at]], vocabulary[word[at:]], word[:at], word[at:])
            for at in range(1, len(word))
            if word[:at] in vocabulary and word[at:] in vocabulary
        ]
        found += [(scores[number], left, right) for _, _, left, right in sorted(halves)]
    # The sort keeps the order of what is equally likely.
    return [(left, right) for _, left, right in sorted(found, key=lambda one: -one[0])]


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
