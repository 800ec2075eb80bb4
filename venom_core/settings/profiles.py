"""Profiles: what may run. One table, read by the API, the CLI and the docs.

The profile decides which providers may be opened. In which order a bare name looks for one, and
which make the profile ready, the providers' own declarations say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from venom_core.sdk.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Profile:
    """One row.

    Args:
        name: as in ``VENOM_RUNTIME_PROFILE``.
        summary: one sentence.
        chat: whether models may be used at all; then readiness needs a provider that answers.
        excludes: providers that are ``disabled(profile)``.
    """

    name: str
    summary: str
    chat: bool
    excludes: frozenset[str]


_TABLE = (
    Profile(
        "light",
        "Ollama, or the embedded engine where no Ollama answers.",
        chat=True,
        excludes=frozenset({"vllm"}),
    ),
    Profile(
        "llm_off",
        "The page, the API and the model lists; no model runs.",
        chat=False,
        excludes=frozenset(),
    ),
    Profile(
        "full",
        "Every installed provider, opened at first use.",
        chat=True,
        excludes=frozenset(),
    ),
)
PROFILES: Mapping[str, Profile] = MappingProxyType({profile.name: profile for profile in _TABLE})
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "privacy": "light",
        "local": "light",
        "api": "llm_off",
        "cloud": "llm_off",
        "beast": "full",
        "extended": "full",
    }
)


def find_profile(name: str) -> Profile:
    """Return the profile of a name or alias. Raises ``InvalidRequest(code="unknown_profile")``."""
    profile = PROFILES.get(ALIASES.get(name, name))
    if profile is None:
        raise InvalidRequest(
            f"There is no profile {name!r}.",
            code="unknown_profile",
            param="profile",
            fix=f"Choose one of: {', '.join(PROFILES)}",
        )
    return profile
