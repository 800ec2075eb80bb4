"""Folders with ONNX models, found and named: those of our own store, those of the setting
``model_paths``, and those in the shared Hugging Face cache.

Everything here blocks; callers run it in threads.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from venom_core.sdk.chat_template import template_capabilities
from venom_core.sdk.errors import VenomError
from venom_core.sdk.hub_files import HubRef, cached_snapshots
from venom_core.sdk.model_folders import (
    MAX_FOLDERS,
    FolderMemory,
    folders_below,
    free_name,
    own_sampling,
)
from venom_core.sdk.model_json import json_of
from venom_core.sdk.parameter_bounds import bounds_of_name
from venom_core.sdk.provider import Model, ModelCapability
from venom_onnx.folder import BUILD_NOTE, OnnxFolder, holds_model, read_folder

#: Text that is embedded at a time, where a model's own files give no bound.
EMBED_TOKENS = 512
#: The runtime takes no penalty of 0.
_BOUNDS = {"repeat_penalty": (0.01, 10.0)}


@dataclass(frozen=True, slots=True)
class ServableModel:
    """A model as listings show it, and its folder. ``removable``: it lies in our store."""

    model: Model
    folder: OnnxFolder
    removable: bool


class Catalogue:
    """Looks at the disk anew each time; a folder is read again only when something changed in it.

    Args:
        store: the folder of models built here.
        places: folders with a model, or with such folders.
        cache: of the Hugging Face library.
    """

    def __init__(self, store: Path, places: Sequence[str], cache: Path, context: int) -> None:
        self.store = store
        self._places = [Path(place).expanduser() for place in places]
        self._cache = cache
        self._context = context
        self._folders = FolderMemory(read_folder)

    def all(self) -> dict[str, ServableModel]:
        """Return everything by reference; a model of our store wins over another of its name."""
        found: dict[str, ServableModel] = {}
        seen: set[str] = set()
        for ref, path, source, digest in islice(self._paths(), MAX_FOLDERS):
            if (real := os.path.realpath(path)) in seen:
                continue
            seen.add(real)
            folder = self._folders.read(path)
            name = free_name(ref, found)
            model = self._model(name, folder, source, digest)
            found[name] = ServableModel(model, folder, source == "built here")
        self._folders.keep_used()
        return found

    def _paths(self) -> Iterator[tuple[str, Path, str, str | None]]:
        """Yield name, folder, source and digest of whatever may be a model."""
        for path in folders_below(self.store, holds_model):
            yield path.relative_to(self.store).as_posix(), path, "built here", None
        for place in self._places:
            for path in folders_below(place, holds_model):
                yield path.name, path, "model_paths", None
        for ref, snapshot in cached_snapshots(self._cache):
            for path in folders_below(snapshot, holds_model):
                inside = path.relative_to(snapshot).as_posix()
                whole = inside in (".", "onnx")
                name = ref if whole else HubRef(ref.repo, inside.replace("/", "."), ref.revision)
                commit = f"commit:{snapshot.name}"
                digest = commit if whole else f"{commit}#{name.label}"
                yield name.with_host, path, "Hugging Face cache", digest

    def context_of(self, folder: OnnxFolder) -> int:
        """Return the tokens of one request: as configured, never more than the model's."""
        if folder.kind == "embedding":
            return folder.context_length or EMBED_TOKENS
        return min(self._context, folder.context_length or self._context)

    def _model(self, ref: str, folder: OnnxFolder, source: str, digest: str | None) -> Model:
        details: dict[str, Any] = {
            "source": source,
            "architecture": folder.architecture.name if folder.architecture else None,
            "trained_context_length": folder.context_length,
            "chat_template": folder.chat_template is not None,
            "execution_provider": folder.execution_provider,
        }
        reason = folder.reason
        if reason is not None:
            details["reason"] = reason.record()
        if source == "built here":
            details["built_from"] = _built_from(folder.path)
        return Model(
            ref=ref,
            type="onnx",
            capabilities=capabilities_of(folder),
            summary=None if reason is None else reason.message,
            size_bytes=folder.size_bytes or None,
            digest=digest,
            location=None if digest else folder.path,
            context_length=self.context_of(folder) if reason is None else None,
            instruct=folder.chat_template is not None if folder.kind == "genai" else None,
            prompt_template=folder.chat_template,
            defaults=own_sampling(folder.config.get("search", {})),
            parameter_bounds={**_BOUNDS, **bounds_of_name(ref)},
            details=details,
            architecture=folder.architecture if reason is None else None,
        )


def capabilities_of(folder: OnnxFolder) -> frozenset[ModelCapability]:
    """Return what a folder can do: nothing where there is a reason not to run it."""
    if folder.reason is not None:
        return frozenset()
    if folder.kind == "embedding":
        return frozenset({"embedding"})
    return template_capabilities(folder.chat_template)


def _built_from(path: Path) -> str | None:
    """Return the reference of the model that a folder was built from; None where nothing says."""
    with contextlib.suppress(VenomError, OSError):
        found = json_of(path, BUILD_NOTE).get("source")
        return found if isinstance(found, str) else None
    return None
