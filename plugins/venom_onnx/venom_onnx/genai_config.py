"""``genai_config.json`` of a stranger: what of it is taken over, each value within its bounds.

The file tells onnxruntime-genai 0.18 more than a model's shape: libraries to load
(``custom_ops_library``, from its own folder), files to write (``enable_profiling``), options of the
execution provider, further model and data files, and names that end up as the format of ``printf``.
So nothing of it is opened by the runtime: a launch writes one of its own from what is listed here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from venom_core.sdk.architecture import (
    MAX_CONTEXT,
    MAX_HEAD_LENGTH,
    MAX_HEADS,
    MAX_LAYERS,
    MAX_VOCABULARY,
    MAX_WIDTH,
    Architecture,
    BadNumber,
    bounded,
)
from venom_core.sdk.errors import VenomError
from venom_core.sdk.model_refusals import damaged, not_served, shown, unsafe

NAME = "genai_config.json"
#: The runtime keeps its numbers in 32 bits with a sign.
_MOST = (1 << 31) - 1
_TYPE = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
#: The name of an input or output; ``%d`` is the layer, and what ``printf`` fills in there.
_TENSOR = re.compile(r"[\w.:/-]{1,128}", re.ASCII)
_TENSORS = re.compile(r"[\w.:/-]{0,64}%d[\w.:/-]{0,64}", re.ASCII)
_PROVIDER = re.compile(r"[\w.-]{1,64}", re.ASCII)
MOST_EOS = 64

_DECODER = {
    "head_size": MAX_HEAD_LENGTH, "hidden_size": MAX_WIDTH, "num_attention_heads": MAX_HEADS,
    "num_hidden_layers": MAX_LAYERS, "num_key_value_heads": MAX_HEADS,
}  # fmt: skip
_OPTIONAL = ("hidden_size", "num_key_value_heads")
_TOKENS = ("bos_token_id", "pad_token_id", "sep_token_id", "decoder_start_token_id")
_INPUTS = frozenset(
    {
        "input_ids", "attention_mask", "position_ids", "past_key_names", "past_value_names",
        "past_names", "past_sequence_length", "current_sequence_length", "total_sequence_length",
        "cache_indirection", "past_conv_names", "past_recurrent_names",
    }
)  # fmt: skip
_OUTPUTS = frozenset(
    {
        "logits", "present_key_names", "present_value_names", "present_names",
        "present_conv_names", "present_recurrent_names", "hidden_states",
    }
)  # fmt: skip
#: Each with the least and the most that is taken; whole numbers where both are.
_SEARCH: Mapping[str, tuple[float, float]] = {
    "temperature": (0.0, 100.0), "top_p": (0.0, 1.0), "repetition_penalty": (0.0, 100.0),
    "top_k": (0, MAX_VOCABULARY), "min_length": (0, MAX_CONTEXT), "max_length": (0, MAX_CONTEXT),
    "chunk_size": (0, MAX_CONTEXT), "no_repeat_ngram_size": (0, MAX_CONTEXT),
}  # fmt: skip
#: What a model has besides a text decoder, where the file has it.
_OTHER_PARTS = ("encoder", "vision", "speech", "embedding", "joiner", "vad", "moonshine")
_OTHER_DECODERS = ("pipeline", "shared_initializers", "state_groups")
_LAYER_TYPES = frozenset(
    {"full_attention", "sliding_attention", "linear_attention", "attention", "conv"}
)

#: Other spellings of execution providers, as the runtime takes them too.
_SUFFIX = "executionprovider"


def taken_over(config: object) -> dict[str, Any]:
    """Return what of a parsed ``genai_config.json`` a launch writes; without the execution
    provider.

    Raises the refusal where the model is more than a text decoder, names a library, or has a number
    that no model has.
    """
    try:
        return _taken_over(config)
    except BadNumber as error:
        raise _bad(str(error)) from error


def filename(config: Mapping[str, Any]) -> str:
    """Return the name of the ONNX file, as the model gives it."""
    name = config["model"]["decoder"]["filename"]
    return name if isinstance(name, str) else ""


def execution_provider(config: object) -> str:
    """Return the execution provider that a model was built for, in small letters: the first one
    that its options name; ``cpu`` where there is none."""
    options = _mapping(_mapping(_mapping(config).get("model")).get("decoder"))
    options = _mapping(options.get("session_options"))
    rows = options.get("provider_options")
    for row in rows if isinstance(rows, list) else ():
        for name in _mapping(row):
            if not _PROVIDER.fullmatch(name):
                raise _bad("the name of an execution provider is none")
            return name.lower().removesuffix(_SUFFIX)
    return "cpu"


def architecture(config: Mapping[str, Any], weights_bytes: int) -> Architecture:
    """Return the numbers of a model, from what :func:`taken_over` returned."""
    model = config["model"]
    decoder = model["decoder"]
    layers, heads = decoder["num_hidden_layers"], decoder["num_attention_heads"]
    window = decoder.get("sliding_window", {})
    windowed = window.get("layers", range(layers) if window else ())
    return Architecture(
        name=model["type"],
        layers=layers,
        heads=heads,
        kv_heads=(decoder["num_key_value_heads"],) * layers,
        key_length=decoder["head_size"],
        value_length=decoder["head_size"],
        window=window.get("window_size"),
        windowed=tuple(layer in windowed for layer in range(layers)) if window else (),
        vocabulary=model["vocab_size"],
        embedding_length=decoder.get("hidden_size"),
        weights_bytes=weights_bytes or None,
        context_length=model["context_length"],
    )


def _taken_over(config: object) -> dict[str, Any]:
    model = _object(_mapping(config), "model")
    decoder = _object(model, "decoder")
    for names, where in ((_OTHER_PARTS, model), (_OTHER_DECODERS, decoder)):
        for name in names:
            if where.get(name):
                raise not_served(f"The model is more than a decoder of text: it has {name}.")
    if "custom_ops_library" in _mapping(decoder.get("session_options")):
        raise unsafe(f"{NAME} names a library of its author's (custom_ops_library); none is loaded")
    kind = model.get("type")
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        raise _bad("it names no type")
    return {
        "model": {
            "type": kind,
            "context_length": bounded(model.get("context_length"), "context_length", 1, _MOST),
            "vocab_size": bounded(model.get("vocab_size"), "vocab_size", 1, MAX_VOCABULARY),
            **_tokens(model),
            "decoder": _decoder(decoder),
        },
        "search": _search(config, model["context_length"]),
    }


def _decoder(decoder: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"filename": decoder.get("filename")}
    for name, most in _DECODER.items():
        if name not in _OPTIONAL or decoder.get(name) is not None:
            found[name] = bounded(decoder.get(name), name, 1, most)
    found.setdefault("num_key_value_heads", found["num_attention_heads"])
    found["inputs"] = _names(decoder, "inputs", _INPUTS)
    found["outputs"] = _names(decoder, "outputs", _OUTPUTS)
    layers = found["num_hidden_layers"]
    if (kinds := decoder.get("layer_types")) is not None:
        named = isinstance(kinds, list) and all(isinstance(one, str) for one in kinds)
        if not named or len(kinds) != layers or not set(kinds) <= _LAYER_TYPES:
            raise _bad("layer_types does not name each layer")
        found["layer_types"] = kinds
    if (window := decoder.get("sliding_window")) is not None:
        found["sliding_window"] = _window(_mapping(window), layers)
    return found


def _tokens(model: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: bounded(model[name], name, -1, MAX_VOCABULARY)
        for name in _TOKENS
        if model.get(name) is not None
    }
    ends = model.get("eos_token_id")
    if isinstance(ends, list):
        if not 0 < len(ends) <= MOST_EOS:
            raise _bad("eos_token_id names no token, or too many")
        found["eos_token_id"] = [bounded(end, "eos_token_id", 0, MAX_VOCABULARY) for end in ends]
    else:
        found["eos_token_id"] = bounded(ends, "eos_token_id", 0, MAX_VOCABULARY)
    return found


def _names(decoder: Mapping[str, Any], which: str, known: frozenset[str]) -> dict[str, str]:
    found = {}
    for name, value in _mapping(decoder.get(which)).items():
        if name not in known:
            raise not_served(f"The model has what is not served: {which} {shown(name)}.")
        pattern = _TENSORS if name.endswith("_names") else _TENSOR
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise unsafe(f"{NAME} has a name that is none: {which} {name}")
        found[name] = value
    return found


def _window(window: Mapping[str, Any], layers: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "window_size": bounded(window.get("window_size"), "window_size", 1, _MOST)
    }
    for name, least in (("pad_value", -_MOST), ("cache_slack", 0)):
        if window.get(name) is not None:
            found[name] = bounded(window[name], name, least, _MOST)
    for name in ("slide_key_value_cache", "slide_inputs"):
        if name in window:
            found[name] = _truth(window[name], name)
    if (alignment := window.get("alignment")) is not None:
        if alignment not in ("left", "right"):
            raise _bad("alignment is neither left nor right")
        found["alignment"] = alignment
    if (those := window.get("layers")) is not None:
        if not isinstance(those, list) or len(those) > layers:
            raise _bad("sliding_window does not name layers")
        found["layers"] = [bounded(layer, "layers", 0, layers - 1) for layer in those]
    return found


def _search(config: object, context: int) -> dict[str, Any]:
    search = _mapping(_mapping(config).get("search"))
    found: dict[str, Any] = {}
    for name, (least, most) in _SEARCH.items():
        value = search.get(name)
        if value is None:
            continue
        if type(value) not in (int, type(least)):
            raise _bad(f"{name} is no number of its kind")
        if not least <= value <= most:
            raise _bad(f"{name} is out of its range")
        found[name] = value
    for name in ("do_sample", "past_present_share_buffer"):
        if search.get(name) is not None:
            found[name] = _truth(search[name], name)
    found["max_length"] = min(found.get("max_length") or context, context)
    return found


def _truth(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise _bad(f"{name} is neither true nor false")
    return value


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = parent.get(name)
    if not isinstance(found, dict):
        raise _bad(f"it has no {name}")
    return found


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _bad(what: str) -> VenomError:
    return damaged(f"{NAME} cannot be used: {what}.")
