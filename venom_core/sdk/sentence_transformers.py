"""Read how a model embeds from the files that sentence-transformers writes beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from venom_core.sdk.architecture import MAX_CONTEXT, bounded
from venom_core.sdk.model_files import there
from venom_core.sdk.model_json import json_of, read_json
from venom_core.sdk.model_refusals import not_served

#: One vector of several: their mean, the first one, the last one.
Pooling = Literal["mean", "cls", "last"]
#: Says the pooling.
POOLING_FILE = "1_Pooling/config.json"
MODULES = "modules.json"
_KINDS: Mapping[str, Pooling] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_lasttoken": "last",
}


def pooling_of(folder: Path) -> Pooling:
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


def normalizes(folder: Path) -> bool:
    """Return whether the last of its modules makes a vector's length 1."""
    file = there(folder, "modules.json")
    if file is None:
        return False
    return b"Normalize" in file.read(64 * 1024)


def embed_length(folder: Path, config: Mapping[str, Any]) -> int | None:
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
