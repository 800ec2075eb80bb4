"""The manifest: what this plugin brings, as data."""

from __future__ import annotations

from collections.abc import Iterable

from venom_core.sdk import (
    Architecture,
    Capability,
    MemoryPlan,
    Proposal,
    ProviderSpec,
    Setting,
    hookimpl,
)
from venom_core.sdk.hub_pages import HUB_PAGES
from venom_core.sdk.memory_estimate import ggml_compute_bytes

#: Request parameters that Ollama honours. What is missing here is refused by name (``n``,
#: ``logit_bias``, ``echo``, ...); values that it cannot honour are refused in ``requests.py``.
PARAMETERS = frozenset(
    {
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "repeat_penalty",
        "presence_penalty",
        "frequency_penalty",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "seed",
        "logprobs",
        "top_logprobs",
        "response_format",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning_effort",
        "suffix",
        "dimensions",
    }
)

SETTINGS = (
    Setting(
        "base_url",
        "str",
        "http://127.0.0.1:11434",
        "Where Ollama listens: host, host:port or a URL; 0.0.0.0 means this machine.",
        env_aliases=("OLLAMA_HOST",),
    ),
    Setting(
        "keep_alive",
        "str",
        None,
        "How long a model stays in memory after its last use: 10m, 24h, -1 for always, 0 for not "
        "at all; Ollama's own choice where not set.",
        env_aliases=("LLM_KEEP_ALIVE", "OLLAMA_KEEP_ALIVE"),
    ),
    Setting(
        "context_length",
        "int",
        0,
        "Tokens of context for every model; 0 keeps the loaded one, else Ollama's own choice.",
        minimum=0,
        maximum=10_000_000,
        env_aliases=("OLLAMA_CONTEXT_LENGTH",),
    ),
    Setting(
        "profile",
        "str",
        None,
        "Context, time in memory, and for an Ollama that Venom starts also its queue and cache, for"
        " a graphics card of so many GB; what is set by itself wins.",
        choices=("balanced-12-24gb", "low-vram-8-12gb", "max-context-24gb-plus"),
        env_aliases=("VENOM_OLLAMA_PROFILE",),
    ),
    Setting(
        "start",
        "str",
        "asked",
        "Whether Venom starts Ollama where none answers: at its first need (auto), at the word of"
        " a person (asked), or never.",
        choices=("auto", "asked", "never"),
    ),
    Setting(
        "program",
        "path",
        None,
        "Ollama's program, for Venom to start; what PATH finds where not set.",
    ),
    Setting(
        "load_timeout",
        "float",
        300.0,
        "Seconds that loading a model may take.",
        minimum=1,
        maximum=3600,
    ),
    Setting(
        "request_timeout",
        "float",
        30.0,
        "Seconds to wait for listings, details and removals.",
        minimum=1,
        maximum=600,
    ),
)


GEMMA_TERMS = "https://ai.google.dev/gemma/terms"


def _gemma3(layers: int, heads: int, kv_heads: int, width: int, hidden: int, window: int,
            context: int, weights: int) -> Architecture:  # fmt: skip
    """As in the models' published ``config.json`` (google/gemma-3-4b-it and gemma-3-1b-it)."""
    return Architecture(
        "gemma3",
        layers=layers,
        heads=heads,
        kv_heads=(kv_heads,) * layers,
        key_length=256,
        value_length=256,
        window=window,
        windowed=tuple(layer % 6 != 5 for layer in range(layers)),
        vocabulary=262_144,
        embedding_length=width,
        feed_forward=hidden,
        weights_bytes=weights,
        context_length=context,
    )


_PLAN = MemoryPlan("Ollama", context_length=4096, batch=512, compute=ggml_compute_bytes)

#: Sizes as Ollama's library lists them.
PROPOSALS = (
    Proposal(
        "gemma3:4b",
        "Gemma 3 4B",
        3_300_000_000,
        "For everyday work: several languages, images, long texts.",
        GEMMA_TERMS,
        _gemma3(34, 8, 4, 2560, 10_240, 1024, 131_072, 3_300_000_000),
        _PLAN,
    ),
    Proposal(
        "gemma3:1b",
        "Gemma 3 1B",
        815_000_000,
        "Small and quick, for short answers.",
        GEMMA_TERMS,
        _gemma3(26, 4, 1, 1152, 6912, 512, 32_768, 815_000_000),
        _PLAN,
    ),
)


PAGES = (
    (r"ollama\.com/library/([^/]+)(?:/.*)?", r"\1"),
    (r"ollama\.com/([^/]+/[^/]+)", r"\1"),
    *HUB_PAGES,
)


@hookimpl
def venom_providers() -> Iterable[ProviderSpec]:
    """Return the one provider of this plugin."""
    return [
        ProviderSpec(
            name="ollama",
            title="Ollama",
            summary="Models of a local Ollama server: chat, tools, images, embeddings, downloads.",
            factory="venom_ollama.provider:OllamaProvider",
            capabilities=frozenset(
                {
                    Capability.CHAT,
                    Capability.COMPLETE,
                    Capability.EMBED,
                    Capability.DESCRIBE,
                    Capability.LOAD,
                    Capability.UNLOAD,
                    Capability.PS,
                    Capability.PULL,
                    Capability.REMOVE,
                    Capability.ENGINES,
                    Capability.START_ENGINE,
                }
            ),
            parameters=PARAMETERS,
            settings=SETTINGS,
            homepage="https://ollama.com",
            preference=100,
            proposals=PROPOSALS,
            needs="Needs Ollama: install it from ollama.com, start it, then run the command.",
            default_model="gemma3:*",
            pages=PAGES,
        )
    ]
