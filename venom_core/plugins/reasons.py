"""Every reason that the host gives for a plugin or a provider that is not as wished.

Providers add reasons of their own (``ollama_down``); the codes below belong to the host.
"""

from __future__ import annotations

from typing import Final

from venom_core.sdk.states import Reason

#: code -> what it means. The documentation has a heading for each.
REASONS: Final[dict[str, str]] = {
    "blocked": "The plugin is in VENOM_PLUGINS_DISABLED or in a flag: whoever started this process"
    " keeps it out.",
    "disabled_by_user": "The plugin was disabled by command or in config.toml.",
    "not_allowed": "VENOM_PLUGINS lists the plugins that may load, and this one is not in it.",
    "api_mismatch": "The plugin was written for another major version of the plugin API.",
    "core_mismatch": "The plugin's distribution requires a version of Venom that is not this one.",
    "lockstep_mismatch": "The plugin is part of Venom's release and its version is not the core's.",
    "known_bad": "This version of the plugin is known not to work.",
    "name_reserved": "The plugin uses a name that belongs to a plugin of Venom's own release.",
    "name_conflict": "Several distributions claim the same name; none is used until all but one"
    " are disabled.",
    "crashed_last_start": "The process ended while it imported this plugin, so it is left out"
    " until somebody asks for it again.",
    "import_failed": "The plugin's manifest raised an error when it was imported.",
    "import_timeout": "The plugin's manifest did not load within the time it may take.",
    "manifest_exited": "The plugin's manifest tried to end the process.",
    "bad_manifest": "The plugin's entry point or hooks are not what the plugin API says.",
    "bad_spec": "A provider's declaration is not what the plugin API says.",
    "engine_missing": "The plugin is installed, the package with its engine is not.",
    "invalid_setting": "A setting of the provider has a value that cannot be used.",
    "factory_failed": "The provider's class could not be imported or made.",
    "capability_mismatch": "The provider's class lacks a method for a capability it declares.",
    "open_failed": "The provider raised an error when it was opened.",
    "open_timeout": "The provider did not open within the time it may take.",
    "health_failed": "The provider raised an error when it was asked for its health.",
    "health_timeout": "The provider did not tell its health in time.",
    "profile": "The active profile leaves this provider out.",
    "closed": "Venom is stopping.",
}


def reason(code: str, message: str, fix: str | None = None) -> Reason:
    """Return a reason of the host; a code that :data:`REASONS` lacks is a programming error."""
    if code not in REASONS:
        raise KeyError(code)
    return Reason(code, message, fix)
