"""The manifest: what is found without importing anything heavier."""

from venom_core.sdk.engine_settings import CONTEXT_LENGTH, KEEP_ALIVE, MAX_LOADED, THREADS
from venom_core.sdk.hookspecs import hookimpl
from venom_core.sdk.spec import (
    BuildFormat,
    Capability,
    EngineEnvironment,
    EngineRequirement,
    ProviderSpec,
    Setting,
)

#: Each one was seen to change what the real engine answers (onnxruntime-genai 0.18.0),
#: but for those of tools, which are emulated.
PARAMETERS = frozenset(
    {
        "frequency_penalty", "logit_bias", "logprobs", "max_tokens", "min_p", "n",
        "parallel_tool_calls", "presence_penalty", "repeat_penalty", "response_format", "seed",
        "stop", "temperature", "tool_choice", "tools", "top_k", "top_logprobs", "top_p",
    }
)  # fmt: skip

SETTINGS = (
    Setting(
        "enabled",
        "bool",
        True,
        "Whether ONNX models are listed, run and built at all.",
        env_aliases=("ONNX_LLM_ENABLED",),
    ),
    Setting(
        "model_paths",
        "list",
        (),
        "Folders with an ONNX model, or folders of such folders, to serve beside those built here.",
    ),
    Setting(
        "hub_cache",
        "path",
        None,
        "Hugging Face cache whose ONNX folders are served too; the library's own where not set.",
        env_aliases=("HF_HUB_CACHE",),
    ),
    Setting(
        "execution_provider",
        "str",
        "cpu",
        "What computes: the processor, or a graphics card where the installed runtime has it.",
        choices=("cpu", "cuda", "dml"),
        env_aliases=("ONNX_LLM_EXECUTION_PROVIDER",),
    ),
    Setting(
        "precision",
        "str",
        "int8",
        "Precision of a build that names none.",
        choices=("int8", "int4", "fp32", "fp16"),
        env_aliases=("ONNX_LLM_PRECISION",),
    ),
    Setting(
        "build_python",
        "path",
        None,
        "Python that builds models, with the packages of venom engines install onnx-build; its own"
        " environment where not set.",
    ),
    CONTEXT_LENGTH,
    Setting(
        "parallel",
        "int",
        2,
        "Requests that one model answers at a time, a token each in turn; each has the whole "
        "context to itself.",
        minimum=1,
        maximum=16,
    ),
    THREADS,
    MAX_LOADED,
    KEEP_ALIVE,
)

#: int8 first: int4 makes small models answer wrongly, and fp32 takes four times as long to answer.
#: What a card computes has numbers of sixteen bits.
BUILDS = (
    BuildFormat(
        "onnx", ("int8", "int4", "fp32", "fp16"), ("cpu", "cuda", "dml"), default="precision"
    ),
)

#: What builds models, apart: torch and transformers fight everybody's pins.
BUILD_ENVIRONMENT = EngineEnvironment(
    name="onnx-build",
    title="The builder of ONNX models",
    summary="Builds ONNX models from Hugging Face folders.",
    packages=(
        "torch==2.13.0", "transformers==5.23.0", "tokenizers==0.23.3", "safetensors==0.8.0",
        "onnx==1.23.2", "onnx-ir==1.1.0", "onnxruntime==1.31.1", "onnxruntime-genai==0.18.0",
    ),
    modules=("torch", "transformers", "onnx", "onnx_ir", "onnxruntime_genai"),
    download_bytes=300_000_000,
    disk_bytes=1_300_000_000,
    platforms=("linux-x86_64", "linux-aarch64", "darwin-arm64", "win32-amd64", "win32-arm64"),
)  # fmt: skip


@hookimpl
def venom_providers() -> list[ProviderSpec]:
    return [
        ProviderSpec(
            name="onnx",
            title="ONNX Runtime",
            summary="ONNX models in a process of their own: folders built here, by others, or "
            "fetched from Hugging Face.",
            factory="venom_onnx.provider:OnnxProvider",
            capabilities=frozenset(
                {
                    Capability.CHAT, Capability.COMPLETE, Capability.EMBED, Capability.DESCRIBE,
                    Capability.LOAD, Capability.UNLOAD, Capability.PS, Capability.REMOVE,
                    Capability.ENGINES, Capability.BUILD,
                }
            ),
            parameters=PARAMETERS,
            # A prompt's come from who has the model's own tokenizer; inputs to embed come from
            # clients that use OpenAI's for every model.
            tokens=frozenset({"prompt"}),
            settings=SETTINGS,
            aliases=("onnxruntime",),
            homepage="https://onnxruntime.ai",
            engine=EngineRequirement(
                "onnxruntime_genai", "onnx", 66_000_000, needed_to_list=False
            ),
            preference=30,
            builds=BUILDS,
            environments=(BUILD_ENVIRONMENT,),
        )
    ]  # fmt: skip
