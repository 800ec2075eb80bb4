"""A stranger's plugin for the page's tests: broken while a file says so, and with settings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from venom_core.sdk import ProviderSpec, Setting, hookimpl
from venom_core.sdk.provider import Model, Provider
from venom_core.sdk.states import Health, ProviderStatus

BROKEN = "lab-is-broken"

if (Path(os.environ.get("VENOM_HOME", ".")) / BROKEN).exists():
    raise RuntimeError("labtools is not installed")


@hookimpl
def venom_providers() -> list[ProviderSpec]:
    return [
        ProviderSpec(
            name="lab",
            title="Lab",
            summary="Answers from the lab.",
            factory="tests.e2e.lab_plugin:LabProvider",
            capabilities=frozenset(),
            settings=(
                Setting("slots", "int", 2, "Requests at a time.", minimum=1, maximum=8),
                Setting("loud", "bool", False, "Whether it says much."),
                Setting("mode", "str", "fast", "How it works.", choices=("fast", "exact")),
                Setting("token", "str", None, "Who asks.", secret=True),
                Setting("folder", "path", None, "Where it is.", env_aliases=("LAB_FOLDER",)),
            ),
        )
    ]


class LabProvider(Provider):
    """Has no models."""

    async def health(self) -> Health:
        return Health(ProviderStatus.READY, version="lab 7")

    async def models(self) -> Sequence[Model]:
        return []
