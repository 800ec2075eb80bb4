"""The manifest: what is found without importing anything heavier."""

from venom_core.sdk.hookspecs import hookimpl
from venom_core.sdk.hub_pages import HUB_PAGES
from venom_core.sdk.spec import Capability, ProviderSpec, Setting

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
)


@hookimpl
def venom_providers() -> list[ProviderSpec]:
    return [
        ProviderSpec(
            name="hf",
            title="Hugging Face",
            summary="The models of huggingface.co: search, cards, and downloads that are checked.",
            factory="venom_hf.provider:HuggingFaceProvider",
            capabilities=frozenset(
                {
                    Capability.SEARCH, Capability.TRENDING, Capability.NEWS, Capability.CARD,
                    Capability.DESCRIBE, Capability.PULL, Capability.REMOVE,
                }
            ),
            settings=SETTINGS,
            aliases=("huggingface",),
            homepage="https://huggingface.co",
            pages=HUB_PAGES,
        )
    ]  # fmt: skip
