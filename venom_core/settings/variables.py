"""The environment variables of settings: our own names, and those that others use already."""

from __future__ import annotations

from collections.abc import Mapping

from venom_core.sdk.spec import Setting
from venom_core.sdk.text_files import unquoted

PREFIX = "VENOM_"


def provider_variable(provider: str, setting: str) -> str:
    """Return the environment variable of a provider's setting: ``VENOM_VLLM__PYTHON``."""
    return f"{variable_prefix(provider)}{setting.upper()}"


def variable_prefix(provider: str) -> str:
    """Return what the variables of a provider's settings begin with: ``VENOM_VLLM__``."""
    return f"{PREFIX}{provider.upper().replace('-', '_')}__"


def is_of_provider(variable: str) -> bool:
    """Return whether a variable is called as those of providers are."""
    return variable.startswith(PREFIX) and "__" in variable


def value_of(env: Mapping[str, str], variable: str) -> str | None:
    """Return what a variable holds; an empty one counts as not set."""
    return unquoted(env.get(variable, "")) or None


def variable_that_sets(env: Mapping[str, str], provider: str, setting: Setting) -> str | None:
    """Return the variable that sets a provider's setting, ours before others; None where none
    does."""
    for variable in (provider_variable(provider, setting.name), *setting.env_aliases):
        if value_of(env, variable):
            return variable
    return None


def place_of(variable: str) -> str:
    """Return a variable in words, as a person finds it."""
    return f"the environment variable {variable}"
