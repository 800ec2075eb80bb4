"""The manifest: what is found without importing anything heavier."""

from venom_core.sdk.hookspecs import hookimpl
from venom_core.sdk.spec import Capability, ProviderSpec, Setting


@hookimpl
def venom_providers() -> list[ProviderSpec]:
    return [
        ProviderSpec(
            name="remote",
            title="Remote servers",
            summary="OpenAI-compatible servers by URL: LM Studio, vLLM, llama-swap, a colleague's.",
            factory="venom_remote.provider:RemoteProvider",
            capabilities=frozenset({Capability.CHAT, Capability.COMPLETE, Capability.EMBED}),
            # What such a server honours is its own business: it gets what was asked, and its
            # refusal is passed on. These are the fields that Venom knows.
            parameters=frozenset(
                {
                    "best_of", "dimensions", "echo", "frequency_penalty", "logit_bias", "logprobs",
                    "max_tokens", "min_p", "n", "parallel_tool_calls", "presence_penalty",
                    "reasoning_effort", "repeat_penalty", "response_format",
                    "seed", "stop", "suffix", "temperature",
                    "tool_choice", "tools", "top_k", "top_logprobs", "top_p",
                }
            ),
            tokens=frozenset({"prompt", "input"}),
            settings=(
                Setting("urls", "list", (), "Base URLs of the servers, without /v1.", items="url",
                        env_aliases=("VLLM_ENDPOINT",)),
                Setting("api_key", "str", None, "Key for all of them.", secret=True),
                Setting("unknown_fields", "str", "pass", "Fields of a request that Venom does not "
                        "know: the servers get them, or they are refused by name.",
                        choices=("pass", "refuse")),
                Setting("retry_after", "float", 10.0, "Seconds that a dead server is left out.",
                        minimum=0, maximum=3600),
            ),
            local=False,
            passes_on=True,
        )
    ]  # fmt: skip
