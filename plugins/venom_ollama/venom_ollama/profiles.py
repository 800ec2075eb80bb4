"""The setup of Ollama: the settings, and the profile that fills in what they leave open.

Context and time in memory go with each request, whoever started Ollama. The rest is of the server
itself: an Ollama that somebody else started has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from venom_core.sdk.spec import SettingValue
from venom_core.sdk.states import Reason
from venom_ollama.address import keep_alive


@dataclass(frozen=True, slots=True)
class OllamaProfile:
    """One row of ``VENOM_OLLAMA_PROFILE``: ``queue`` is how many requests may wait, ``cache`` in
    what numbers the contexts are held."""

    context_length: int
    parallel: int
    queue: int
    cache: str
    keep_alive: str

    @property
    def of_the_server(self) -> dict[str, str]:
        """Return what only the start of an Ollama can set, as its environment."""
        return {
            "OLLAMA_NUM_PARALLEL": str(self.parallel),
            "OLLAMA_MAX_QUEUE": str(self.queue),
            "OLLAMA_KV_CACHE_TYPE": self.cache,
            # Without it Ollama holds contexts in f16, whatever the line above says.
            "OLLAMA_FLASH_ATTENTION": "1",
        }


PROFILES: Mapping[str, OllamaProfile] = {
    "balanced-12-24gb": OllamaProfile(32_768, 2, 256, "q8_0", "30m"),
    "low-vram-8-12gb": OllamaProfile(16_384, 1, 128, "q4_0", "20m"),
    "max-context-24gb-plus": OllamaProfile(65_536, 1, 128, "q8_0", "45m"),
}


@dataclass(frozen=True, slots=True)
class Setup:
    """``context_length`` 0 and ``keep_alive`` None leave it to Ollama."""

    context_length: int
    keep_alive: str | int | None
    profile: OllamaProfile | None = None

    @classmethod
    def of(cls, settings: Mapping[str, SettingValue]) -> Setup:
        """Return the setup that settings make. Raises Unavailable(invalid_setting) for a duration
        that cannot be used."""
        profile = PROFILES.get(str(settings.get("profile")))
        context, kept = settings.get("context_length"), settings.get("keep_alive")
        alive = keep_alive(kept if isinstance(kept, str) else None)
        if profile is not None:
            context = context or profile.context_length
            alive = profile.keep_alive if alive is None else alive
        return cls(context if isinstance(context, int) else 0, alive, profile)

    @property
    def note(self) -> Reason | None:
        """Return what of the profile does not apply to an Ollama that somebody else started."""
        if self.profile is None:
            return None
        wanted = " ".join(f"{name}={value}" for name, value in self.profile.of_the_server.items())
        return Reason(
            "ollama_profile_in_part",
            "Venom did not start this Ollama: of VENOM_OLLAMA_PROFILE only the context and the time"
            " in memory apply, unless it was started with the rest.",
            f"Start it with {wanted}, or stop it and let Venom start it: venom engines start"
            " ollama",
        )

    def environment(self, own: Mapping[str, str]) -> dict[str, str]:
        """Return what an Ollama is started with; what ``own``, the present environment, sets for
        Ollama stays as it is there, unless a setting of ours was read from it."""
        found = {} if self.profile is None else self.profile.of_the_server
        found = {name: value for name, value in found.items() if not own.get(name)}
        if self.context_length:
            found["OLLAMA_CONTEXT_LENGTH"] = str(self.context_length)
        if self.keep_alive is not None:
            found["OLLAMA_KEEP_ALIVE"] = str(self.keep_alive)
        return found
