"""The profile at work: the one place that knows it, read by everybody at each use."""

from __future__ import annotations

from collections.abc import Sequence

from venom_core.sdk.errors import LlmOff
from venom_core.settings.layers import Settings
from venom_core.settings.profiles import Profile, find_profile

KEY = "runtime.profile"
OPTION, VARIABLE = "--profile", "VENOM_RUNTIME_PROFILE"


class ActiveProfile:
    """Begins as the settings say; ``become`` makes another one active."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._name = find_profile(settings.core.runtime_profile).name

    @property
    def row(self) -> Profile:
        """Return the profile as it counts now."""
        return find_profile(self._name, legacy_light=self._settings.core.legacy_light)

    @property
    def name(self) -> str:
        return self._name

    @property
    def chat(self) -> bool:
        """Whether models may be used at all."""
        return self.row.chat

    @property
    def excludes(self) -> Sequence[str]:
        """The providers that it leaves out."""
        return self.row.excludes

    @property
    def configured(self) -> str:
        """Return the profile that the settings name: the next start's, where no flag or variable
        of this process is above it."""
        return find_profile(self._settings.core.runtime_profile).name

    @property
    def fixed_by(self) -> str | None:
        """Return the option or the environment variable that names the profile of this process;
        None where ``config.toml`` may."""
        origin = self._settings.origin(KEY)
        return {"flag": OPTION, "env": VARIABLE}.get(origin)

    def become(self, name: str) -> None:
        """Make another profile the active one."""
        self._name = find_profile(name).name

    def check_models_run(self) -> None:
        """Raise ``LlmOff`` where no model may run."""
        row = self.row
        if row.chat:
            return
        fix = None
        if row is not find_profile(row.name):
            fix = "Let light run models: unset features.legacy_light, or VENOM_LEGACY_LIGHT."
        elif self.fixed_by == OPTION and self._name == self.configured:
            fix = "Start Venom with another one: venom serve --profile light"
        elif self.fixed_by and self._name == self.configured:
            fix = (
                f"Set {VARIABLE}=light and start Venom again; until then a server that runs is"
                " switched by POST /api/v1/runtime/profile/light"
            )
        raise LlmOff(f"The profile {row.name} is active: no model runs.", fix=fix)
