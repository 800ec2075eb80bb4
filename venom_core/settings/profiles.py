"""Profiles: what may run. One table, read by the API, the command line, compose files and the docs.

A provider that a profile does not name may be used under it, unless it leaves that one out.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from venom_core.sdk.errors import NotFound

#: What every profile runs: the server itself and its page.
OWN_SERVICES = ("backend", "ui")
#: The release from which on ``legacy_light`` is no setting any more.
LEGACY_LIGHT_ENDS = "2027.5"


@dataclass(frozen=True, slots=True)
class Profile:
    """One row.

    Args:
        name: as in ``VENOM_RUNTIME_PROFILE``.
        summary: one sentence.
        chat: whether models may be used at all; then readiness needs a provider that answers.
        requires: the providers that it is made for, of which the first that answers is enough.
        excludes: providers that are ``disabled(profile)``.
        services: what runs with it; of providers, those that are named where they are missing.
        runtimes: of several providers that serve a bare name the first here wins; then come the
            others, by their own declarations.
        environment: variables that a container is given with it.
        aliases: the older system's names for it.
    """

    name: str
    summary: str
    chat: bool
    requires: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    services: tuple[str, ...] = OWN_SERVICES
    runtimes: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()

    @property
    def providers(self) -> tuple[str, ...]:
        """Return the services that are providers."""
        return tuple(name for name in self.services if name not in OWN_SERVICES)

    def allows(self, provider: str) -> bool:
        """Return whether a provider may be the active server."""
        return self.chat and provider not in self.excludes

    def ranked(self, preferred: tuple[str, ...]) -> tuple[str, ...]:
        """Return the providers that take part in the choice for a bare name, those of
        ``runtimes`` first."""
        return _ranked(self.runtimes, self.excludes, preferred)


@functools.lru_cache(maxsize=64)
def _ranked(
    runtimes: tuple[str, ...], excludes: tuple[str, ...], preferred: tuple[str, ...]
) -> tuple[str, ...]:
    first = tuple(name for name in runtimes if name in preferred)
    rest = (name for name in preferred if name not in first)
    return tuple(name for name in (*first, *rest) if name not in excludes)


_TABLE = (
    Profile(
        "light",
        "Ollama, or the embedded engine where no Ollama answers; no vLLM.",
        chat=True,
        requires=("ollama", "llamacpp"),
        excludes=("vllm",),
        services=(*OWN_SERVICES, "ollama"),
        runtimes=("ollama", "llamacpp", "onnx"),
        environment={"VENOM_RUNTIME_PROFILE": "light", "OLLAMA_MODEL": "gemma3:*"},
        aliases=("privacy", "local"),
    ),
    Profile(
        "llm_off",
        "The page, the API and the model lists; no model runs.",
        chat=False,
        environment={"VENOM_RUNTIME_PROFILE": "llm_off"},
        aliases=("api", "cloud"),
    ),
    Profile(
        "full",
        "Every installed provider, opened at first use.",
        chat=True,
        requires=("ollama",),
        services=(*OWN_SERVICES, "ollama", "llamacpp", "onnx", "hf", "vllm"),
        runtimes=("ollama", "llamacpp", "onnx", "vllm"),
        environment={"VENOM_RUNTIME_PROFILE": "full", "OLLAMA_MODEL": "gemma3:*"},
        aliases=("beast", "extended"),
    ),
)
PROFILES: Mapping[str, Profile] = MappingProxyType({profile.name: profile for profile in _TABLE})
ALIASES: Mapping[str, str] = MappingProxyType(
    {alias: profile.name for profile in _TABLE for alias in profile.aliases}
)
#: What ``light`` was before it ran Ollama: nothing that ``llm_off`` does not. With the setting
#: ``features.legacy_light`` it is that again.
LEGACY_LIGHT = replace(
    PROFILES["llm_off"],
    name="light",
    summary="What light was once: no model runs, as under llm_off.",
    environment={"VENOM_RUNTIME_PROFILE": "light", "VENOM_LEGACY_LIGHT": "true"},
    aliases=PROFILES["light"].aliases,
)


@functools.lru_cache(maxsize=64)  # every request asks
def find_profile(name: str, *, legacy_light: bool = False) -> Profile:
    """Return the profile of a name or alias. Raises ``NotFound`` (``unknown_profile``)."""
    profile = PROFILES.get(ALIASES.get(name, name))
    if profile is None:
        shown = "".join(char for char in name if char.isprintable())[:64]
        raise NotFound(
            f"There is no profile {shown!r}.",
            code="unknown_profile",
            param="profile",
            fix=f"Choose one of: {', '.join(PROFILES)}",
        )
    return LEGACY_LIGHT if legacy_light and profile.name == LEGACY_LIGHT.name else profile


def every_profile(*, legacy_light: bool = False) -> tuple[Profile, ...]:
    """Return the table as it counts now."""
    return tuple(find_profile(name, legacy_light=legacy_light) for name in PROFILES)


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    """Yield what two profiles, as JSON values, do not have in common: the key and both values."""
    for key in before:
        if before[key] != after.get(key) and key not in ("name", "active", "summary", "aliases"):
            yield key, before[key], after.get(key)
