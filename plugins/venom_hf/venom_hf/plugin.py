"""The manifest: what is found without importing anything heavier."""

from venom_core.sdk.engine_settings import CONTEXT_LENGTH, KEEP_ALIVE, MAX_LOADED, THREADS
from venom_core.sdk.hookspecs import hookimpl
from venom_core.sdk.hub_pages import HUB_PAGES
from venom_core.sdk.spec import Capability, EngineEnvironment, ProviderSpec, Setting

#: Each one was seen to change what the real engine answers (transformers 5.23.0),
#: but for those of tools, which are emulated.
PARAMETERS = frozenset(
    {
        "frequency_penalty", "logit_bias", "logprobs", "max_tokens", "min_p", "n",
        "parallel_tool_calls", "presence_penalty", "repeat_penalty", "response_format", "seed",
        "stop", "temperature", "tool_choice", "tools", "top_k", "top_logprobs", "top_p",
    }
)  # fmt: skip

#: The engine, apart: torch and transformers fight everybody's pins. llguidance keeps answers to a
#: schema.
ENVIRONMENT = EngineEnvironment(
    name="hf",
    title="transformers",
    summary="Runs Hugging Face folders of safetensors.",
    packages=(
        "torch==2.13.0", "transformers==5.23.0", "tokenizers==0.23.3", "safetensors==0.8.0",
        "llguidance==1.9.1", "jinja2==3.1.6",
    ),
    modules=("torch", "transformers", "llguidance.torch", "jinja2"),
    download_bytes=250_000_000,
    disk_bytes=1_200_000_000,
    platforms=("linux-x86_64", "linux-aarch64", "darwin-arm64", "win32-amd64"),
)  # fmt: skip

SETTINGS = (
    Setting(
        "endpoint",
        "url",
        "https://huggingface.co",
        "The Hub, or a mirror of it.",
        env_aliases=("HF_ENDPOINT",),
    ),
    Setting(
        "token",
        "str",
        None,
        "Access token, for models whose terms must be accepted first and for private ones.",
        secret=True,
        env_aliases=("HF_TOKEN",),
    ),
    Setting(
        "offline",
        "bool",
        False,
        "Never ask the Hub; what the cache holds is still listed.",
        env_aliases=("HF_HUB_OFFLINE",),
    ),
    Setting(
        "cache_dir",
        "path",
        None,
        "The cache that is shared with other programs; not set, where they have it.",
        env_aliases=("HF_HUB_CACHE",),
    ),
    Setting(
        "timeout",
        "float",
        10.0,
        "Seconds that one question to the Hub may take.",
        minimum=1,
        maximum=300,
    ),
    Setting(
        "model_paths",
        "list",
        (),
        "Folders with a model's safetensors, or folders of such folders, to run as well.",
    ),
    Setting(
        "python",
        "path",
        None,
        "Python that runs models, with the packages of venom engines install hf; its own"
        " environment where not set.",
    ),
    Setting(
        "device",
        "str",
        "auto",
        "What computes: a graphics card where torch finds one, else the processor.",
        choices=("auto", "cpu", "cuda", "mps"),
    ),
    Setting(
        "dtype",
        "str",
        "auto",
        "Numbers to compute in; auto is the model's own on a card, and float32 on a processor,"
        " which reads prompts far faster so.",
        choices=("auto", "float32", "bfloat16", "float16"),
    ),
    Setting(
        "attention",
        "str",
        "sdpa",
        "How attention is computed; flash_attention_2 needs its own package in the environment.",
        choices=("sdpa", "eager", "flash_attention_2"),
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


@hookimpl
def venom_providers() -> list[ProviderSpec]:
    return [
        ProviderSpec(
            name="hf",
            title="Hugging Face",
            summary="The models of huggingface.co: search, cards, downloads that are checked, and"
            " transformers to run them.",
            factory="venom_hf.provider:HuggingFaceProvider",
            capabilities=frozenset(
                {
                    Capability.SEARCH, Capability.TRENDING, Capability.NEWS, Capability.CARD,
                    Capability.DESCRIBE, Capability.PULL, Capability.REMOVE, Capability.CHAT,
                    Capability.COMPLETE, Capability.EMBED, Capability.LOAD, Capability.UNLOAD,
                    Capability.PS, Capability.ENGINES,
                }
            ),
            parameters=PARAMETERS,
            # A prompt's come from who has the model's own tokenizer; inputs to embed come from
            # clients that use OpenAI's for every model.
            tokens=frozenset({"prompt"}),
            settings=SETTINGS,
            environments=(ENVIRONMENT,),
            aliases=("huggingface",),
            homepage="https://huggingface.co",
            pages=HUB_PAGES,
        )
    ]  # fmt: skip
