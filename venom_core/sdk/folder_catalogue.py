"""Models as folders of safetensors on this disk, as every engine that runs them lists them: those
of the shared Hugging Face cache, and those of folders that a person names.

Everything here blocks; callers run it in threads.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from venom_core.sdk.chat_template import template_capabilities
from venom_core.sdk.hub_files import HubRef, cached_snapshots
from venom_core.sdk.model_folder import ModelFolder, holds_weights, read_model_folder
from venom_core.sdk.model_folders import (
    MAX_FOLDERS,
    FolderMemory,
    folders_below,
    free_name,
    own_sampling,
)
from venom_core.sdk.parameter_bounds import bounds_of_name
from venom_core.sdk.provider import Model, ModelCapability

#: Text that is embedded at a time, where a model's own files give no bound.
EMBED_TOKENS = 512
CACHE_SOURCE = "Hugging Face cache"


@dataclass(frozen=True, slots=True)
class FoundFolder:
    """A folder, and where it was found.

    Args:
        ref: the name it is listed under: ``hf.co/org/model``, else the folder's own.
        hub: its reference, where it is of the cache.
        digest: what it is, wherever it is listed; None for a folder that a person named.
    """

    ref: str
    folder: ModelFolder
    source: str
    hub: HubRef | None = None
    digest: str | None = None


class FolderCatalogue:
    """Looks at the disk anew each time; a folder is read again only when something changed in it.

    Args:
        places: folders with a model, or with such folders.
        cache: of the Hugging Face library.
    """

    def __init__(self, places: Sequence[str], cache: Path) -> None:
        self._places = [Path(place).expanduser() for place in places]
        self._cache = cache
        self._memory = FolderMemory(read_model_folder)

    def all(self) -> dict[str, FoundFolder]:
        """Return everything by reference; what a person names wins over the cache."""
        found: dict[str, FoundFolder] = {}
        seen: set[str] = set()
        for ref, path, source, hub in islice(self._paths(), MAX_FOLDERS):
            if (real := os.path.realpath(path)) in seen:
                continue
            seen.add(real)
            name = free_name(ref, found)
            digest = None if hub is None else f"commit:{path.name}"
            found[name] = FoundFolder(name, self._memory.read(path), source, hub, digest)
        self._memory.keep_used()
        return found

    def _paths(self) -> Iterator[tuple[str, Path, str, HubRef | None]]:
        for place in self._places:
            for path in folders_below(place, holds_weights):
                yield path.name, path, "model_paths", None
        for ref, snapshot in cached_snapshots(self._cache):
            if holds_weights(snapshot):
                yield ref.with_host, snapshot, CACHE_SOURCE, ref


def capabilities_of(folder: ModelFolder) -> frozenset[ModelCapability]:
    """Return what a folder can do: nothing where there is a reason not to run it."""
    if folder.reason is not None or folder.kind is None:
        return frozenset()
    if folder.kind == "embedding":
        return frozenset({"embedding"})
    return template_capabilities(folder.chat_template)


def context_of(folder: ModelFolder, wanted: int) -> int:
    """Return the tokens of one request: as configured, never more than the model's."""
    if folder.kind == "embedding":
        return folder.context_length or EMBED_TOKENS
    return min(wanted, folder.context_length or wanted)


def model_of(found: FoundFolder, context: int) -> Model:
    """Return a folder as an engine that runs it lists it.

    Args:
        context: tokens of one request as the settings have them.
    """
    folder, reason = found.folder, found.folder.reason
    details: dict[str, Any] = {
        "source": found.source,
        "architecture": folder.architecture_class,
        "trained_context_length": folder.context_length,
        "chat_template": folder.chat_template is not None,
    }
    if reason is not None:
        details["reason"] = reason.record()
    return Model(
        ref=found.ref,
        type="folder",
        capabilities=capabilities_of(folder),
        summary=None if reason is None else reason.message,
        size_bytes=folder.size_bytes or None,
        digest=found.digest,
        location=folder.path,
        context_length=context_of(folder, context) if reason is None else None,
        instruct=folder.chat_template is not None if folder.kind == "language" else None,
        prompt_template=folder.chat_template,
        defaults=own_sampling(_numbers(folder.generation)),
        parameter_bounds=dict(bounds_of_name(found.ref)),
        details=details,
        architecture=folder.architecture if reason is None else None,
    )


def _numbers(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a stranger's file is a truth value or a number that can be."""
    return {
        name: value
        for name, value in config.items()
        if isinstance(value, bool | int | float) and 0 <= value < math.inf
    }
