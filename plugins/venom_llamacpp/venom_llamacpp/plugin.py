"""The manifest: what is found without importing anything heavier."""

from venom_core.sdk.architecture import Architecture, MemoryPlan
from venom_core.sdk.engine_settings import CONTEXT_LENGTH, KEEP_ALIVE, MAX_LOADED, THREADS
from venom_core.sdk.hookspecs import hookimpl
from venom_core.sdk.hub_pages import HUB_PAGES
from venom_core.sdk.memory_estimate import ggml_compute_bytes
from venom_core.sdk.spec import (
    Capability,
    EngineRequirement,
    Proposal,
    ProviderSpec,
    Setting,
)

# Each one was seen to change what the real engine answers (xllamacpp 2026.10.11549), but for those
# of tools and `n`, which are emulated: it reads the calls of few models and ignores "required", and
# its usage counts one choice only. A model without tokens for `suffix` is refused it. Left out on
# purpose: `echo` (ignored).
PARAMETERS = frozenset(
    {
        "frequency_penalty", "grammar", "logit_bias", "logprobs", "max_tokens", "min_p", "n",
        "parallel_tool_calls", "presence_penalty", "repeat_penalty", "response_format", "seed",
        "stop", "suffix", "temperature", "tool_choice", "tools", "top_k", "top_logprobs", "top_p",
    }
)  # fmt: skip

SETTINGS = (
    Setting(
        "model_paths",
        "list",
        (),
        "GGUF files, or folders with such files, to serve beside the pulled models.",
    ),
    Setting(
        "hub_cache",
        "path",
        None,
        "Hugging Face cache whose GGUF files are served too; the library's own where not set.",
        env_aliases=("HF_HUB_CACHE",),
    ),
    CONTEXT_LENGTH,
    Setting(
        "parallel",
        "int",
        2,
        "Requests that one model answers at a time; each has the whole context to itself. "
        "gemma3-270m-base answers one whatever this says.",
        minimum=1,
        maximum=16,
    ),
    THREADS,
    MAX_LOADED,
    KEEP_ALIVE,
    Setting(
        "gpu_layers",
        "int",
        -1,
        "Layers that a graphics card computes, where the engine can use one; -1 means as many as "
        "fit, 0 none.",
        minimum=-1,
        maximum=10_000,
    ),
    Setting(
        "draft_models",
        "list",
        (),
        "Speculative decoding, as MODEL=SMALLER: a smaller model of the same vocabulary writes "
        "ahead, and the model checks it. The answer stays the same.",
    ),
    Setting(
        "draft_tokens",
        "int",
        4,
        "Tokens that a draft model writes ahead at a time.",
        minimum=1,
        maximum=64,
    ),
    Setting(
        "lora_adapters",
        "list",
        (),
        "LoRA adapters, as MODEL=FILE: a GGUF adapter that is put on the model when it is loaded.",
    ),
    Setting(
        "hf_endpoint",
        "url",
        "https://huggingface.co",
        "Where hf.co/... references are fetched from.",
        env_aliases=("HF_ENDPOINT",),
    ),
    Setting(
        "hf_token",
        "str",
        None,
        "Token for Hugging Face models whose licence must be accepted first.",
        secret=True,
        env_aliases=("HF_TOKEN",),
    ),
)


PROPOSALS = (
    Proposal(
        "hf.co/ggml-org/gemma-3-1b-it-GGUF:Q4_K_M",
        "Gemma 3 1B",
        806_000_000,
        "For small machines: conversation and short texts.",
        "https://ai.google.dev/gemma/terms",
        # As in its published config.json (google/gemma-3-1b-it).
        Architecture(
            "gemma3",
            layers=26,
            heads=4,
            kv_heads=(1,) * 26,
            key_length=256,
            value_length=256,
            window=512,
            windowed=tuple(layer % 6 != 5 for layer in range(26)),
            vocabulary=262_144,
            embedding_length=1152,
            feed_forward=6912,
            weights_bytes=806_000_000,
            context_length=32_768,
        ),
        MemoryPlan(
            "llama.cpp", context_length=4096, parallel=2, batch=1024, compute=ggml_compute_bytes
        ),
    ),
)


@hookimpl
def venom_providers() -> list[ProviderSpec]:
    return [
        ProviderSpec(
            name="llamacpp",
            title="Embedded engine",
            summary="llama.cpp in a process of its own: small built-in models, and any GGUF file.",
            factory="venom_llamacpp.provider:LlamaCppProvider",
            capabilities=frozenset(
                {
                    Capability.CHAT, Capability.COMPLETE, Capability.EMBED, Capability.RERANK,
                    Capability.DESCRIBE,
                    Capability.LOAD, Capability.UNLOAD, Capability.PS, Capability.PULL,
                    Capability.REMOVE, Capability.ENGINES,
                }
            ),
            parameters=PARAMETERS,
            # A prompt's come from who has the model's own tokenizer; inputs to embed come from
            # clients that use OpenAI's for every model.
            tokens=frozenset({"prompt"}),
            settings=SETTINGS,
            aliases=("embedded", "llama-cpp"),
            homepage="https://github.com/ggml-org/llama.cpp",
            engine=EngineRequirement(
                "xllamacpp", "llamacpp", 34_000_000, needed_to_list=False
            ),
            preference=50,
            pages=HUB_PAGES,
            proposals=PROPOSALS,
            needs="Needs the embedded engine: venom plugins install llamacpp",
        )
    ]  # fmt: skip
