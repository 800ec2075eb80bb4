"""Folders with ONNX models, found and named: those of our own store, those of the setting
``model_paths``, and those in the shared Hugging Face cache.

Everything here blocks; callers run it in threads.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from venom_core.sdk.errors import VenomError
from venom_core.sdk.hub_files import HubRef, cached_snapshots
from venom_core.sdk.parameter_bounds import bounds_of_name
from venom_core.sdk.provider import Model, ModelCapability
from venom_onnx.folder import OnnxFolder, holds_model, read_folder
from venom_onnx.json_files import BUILD_NOTE, json_of

logger = logging.getLogger(__name__)

MAX_FOLDERS = 1000
MAX_DEPTH = 4
#: Text that is embedded at a time, where a model's own files give no bound.
EMBED_TOKENS = 512
#: The runtime takes no penalty of 0.
_BOUNDS = {"repeat_penalty": (0.01, 10.0)}
#: A model's own wishes, as its ``genai_config.json`` names them.
_DEFAULTS = {"temperature": "temperature", "top_p": "top_p", "top_k": "top_k",
             "repetition_penalty": "repeat_penalty"}  # fmt: skip


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
        self._read: dict[tuple[object, ...], OnnxFolder] = {}

    def all(self) -> dict[str, ServableModel]:
        """Return everything by reference; a model of our store wins over another of its name."""
        found: dict[str, ServableModel] = {}
        seen: set[str] = set()
        known: dict[tuple[object, ...], OnnxFolder] = {}
        for ref, path, source, digest in islice(self._paths(), MAX_FOLDERS):
            if (real := os.path.realpath(path)) in seen:
                continue
            seen.add(real)
            folder = known[_state(path)] = self._folder(path)
            name = _free(ref, found)
            model = self._model(name, folder, source, digest)
            found[name] = ServableModel(model, folder, source == "built here")
        self._read = known
        return found

    def _paths(self) -> Iterator[tuple[str, Path, str, str | None]]:
        """Yield name, folder, source and digest of whatever may be a model."""
        for path in _models_below(self.store, MAX_DEPTH, set()):
            yield path.relative_to(self.store).as_posix(), path, "built here", None
        for place in self._places:
            for path in _models_below(place, MAX_DEPTH, set()):
                yield path.name, path, "model_paths", None
        for ref, snapshot in cached_snapshots(self._cache):
            for path in _models_below(snapshot, MAX_DEPTH, set()):
                inside = path.relative_to(snapshot).as_posix()
                whole = inside in (".", "onnx")
                name = ref if whole else HubRef(ref.repo, inside.replace("/", "."), ref.revision)
                commit = f"commit:{snapshot.name}"
                digest = commit if whole else f"{commit}#{name.label}"
                yield name.with_host, path, "Hugging Face cache", digest

    def _folder(self, path: Path) -> OnnxFolder:
        state = _state(path)
        return self._read[state] if state in self._read else read_folder(path)

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
            defaults=_defaults(folder),
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
    return frozenset({"completion"} if folder.chat_template is None else {"chat", "completion"})


def _built_from(path: Path) -> str | None:
    """Return the reference of the model that a folder was built from; None where nothing says."""
    with contextlib.suppress(VenomError, OSError):
        found = json_of(path, BUILD_NOTE).get("source")
        return found if isinstance(found, str) else None
    return None


def _defaults(folder: OnnxFolder) -> dict[str, Any]:
    """Return the model's own sampling, as ``genai_config.json`` says it."""
    search = folder.config.get("search", {})
    if not search.get("do_sample", False):
        return {"temperature": 0.0} if search else {}
    return {
        ours: search[theirs]
        for theirs, ours in _DEFAULTS.items()
        if search.get(theirs) and (theirs != "temperature" or search[theirs] <= 2)
    }


def _models_below(place: Path, depth: int, seen: set[str]) -> Iterator[Path]:
    """Yield the models' folders of a place, each looked at once: links may lead in circles."""
    try:
        if not place.is_dir() or (real := os.path.realpath(place)) in seen:
            return
        seen.add(real)
        if holds_model(place):
            yield place
        elif depth:
            for child in sorted(place.iterdir(), key=lambda path: (path.is_symlink(), path)):
                if not child.name.startswith("."):
                    yield from _models_below(child, depth - 1, seen)
    except OSError as error:
        logger.warning("a folder of models cannot be read: %s", error)


def _state(path: Path) -> tuple[object, ...]:
    """Return what tells whether something changed in a folder since it was read."""
    found: list[object] = [str(path)]
    for folder in (path, path / "onnx", path / "1_Pooling"):
        try:
            with os.scandir(folder) as entries:
                for entry in islice(entries, MAX_FOLDERS):
                    stat = entry.stat()
                    found.append((entry.name, stat.st_size, stat.st_mtime_ns, stat.st_ino))
        except OSError:
            found.append(folder.name)
    return tuple(found)


def _free(ref: str, taken: dict[str, ServableModel]) -> str:
    name, number = ref, 2
    while ref in taken:
        ref, number = f"{name}-{number}", number + 1
    return ref
