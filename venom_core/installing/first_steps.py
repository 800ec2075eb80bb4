"""Ways to a first answer, where nothing here can run a model: read off the release's plugins.

Each plugin's pyproject.toml says in ``[tool.venom.first_step]`` how somebody begins who does not
have even that plugin. ``kind`` is ``engine`` where the plugin brings one, ``program`` where another
program answers, ``server`` where one elsewhere does; ``then`` are the commands after the plugin is
installed, ``bytes`` is what that fetches at most. ``models`` are small ones for a demonstration, of
which the first is asked.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

from venom_core.plugins.names import ROOTS

Kind = Literal["engine", "program", "server"]
_ORDER: tuple[Kind, ...] = ("engine", "program", "server")


@dataclass(frozen=True, slots=True)
class FirstStep:
    """``homepage`` is where a program comes from; ``then`` are the commands once it is there."""

    plugin: str
    kind: Kind
    title: str
    then: tuple[str, ...]
    size_bytes: int | None = None
    homepage: str | None = None
    models: tuple[str, ...] = ()


@functools.cache
def first_steps() -> tuple[FirstStep, ...]:
    """Return the ways that this release knows, the shortest first."""
    import tomllib

    found = []
    root = next((root for root in ROOTS if root.is_dir()), None)
    for file in sorted(root.glob("*/pyproject.toml")) if root is not None else ():
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        told = data.get("tool", {}).get("venom", {}).get("first_step")
        if told is not None:
            plugin = str(data["project"]["name"]).removeprefix("venom-")
            found.append(
                FirstStep(
                    plugin,
                    told["kind"],
                    told["title"],
                    tuple(told["then"]),
                    told.get("bytes"),
                    told.get("homepage"),
                    tuple(told.get("models", ())),
                )
            )
    return tuple(sorted(found, key=lambda step: _ORDER.index(step.kind)))


def plugin_of(kind: Kind) -> str:
    """Return the plugin of the first way of a kind; empty where the release has none."""
    return next((step.plugin for step in first_steps() if step.kind == kind), "")


def demonstration_models() -> tuple[str, ...]:
    """Return the names of the small models that a plugin with an engine brings for a first
    answer."""
    return next((step.models for step in first_steps() if step.kind == "engine"), ())
