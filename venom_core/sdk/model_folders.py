"""Folders with models: found below a place, and read again only when something changed in them.

Everything here blocks; callers run it in threads.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Container, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

Folder = TypeVar("Folder")

logger = logging.getLogger(__name__)

#: Folders of one catalogue, and entries of one folder, that are looked at.
MAX_FOLDERS = 1000
MAX_DEPTH = 4
#: Folders inside a model's, whose files belong to it.
_INSIDE = ("", "onnx", "1_Pooling")
#: A model's own wishes, as ``generation_config.json`` and ``genai_config.json`` name them.
_SAMPLING = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k",
    "repetition_penalty": "repeat_penalty",
}  # fmt: skip
MOST_TEMPERATURE = 2


def folders_below(place: Path, holds: Callable[[Path], bool]) -> Iterator[Path]:
    """Yield the models' folders of a place, at most :data:`MAX_DEPTH` below it.

    Args:
        holds: whether a folder is a model's; what lies in one is not looked at.
    """
    yield from _below(place, holds, MAX_DEPTH, set())


def _below(
    place: Path, holds: Callable[[Path], bool], depth: int, seen: set[str]
) -> Iterator[Path]:
    """Yield each once: links may lead in circles."""
    try:
        if not place.is_dir() or (real := os.path.realpath(place)) in seen:
            return
        seen.add(real)
        if holds(place):
            yield place
        elif depth:
            for child in sorted(place.iterdir(), key=lambda path: (path.is_symlink(), path)):
                if not child.name.startswith("."):
                    yield from _below(child, holds, depth - 1, seen)
    except OSError as error:
        logger.warning("a folder of models cannot be read: %s", error)


class FolderMemory(Generic[Folder]):
    """Reads folders, each once as long as nothing changes in it.

    Args:
        reader: reads one; what it returns is kept.
    """

    def __init__(self, reader: Callable[[Path], Folder]) -> None:
        self._reader = reader
        self._known: dict[tuple[object, ...], Folder] = {}
        self._used: dict[tuple[object, ...], Folder] = {}

    def read(self, path: Path) -> Folder:
        """Return what a folder holds."""
        state = _state(path)
        found = self._known[state] if state in self._known else self._reader(path)
        self._used[state] = found
        return found

    def keep_used(self) -> None:
        """Forget what was not read since the last call."""
        self._known, self._used = self._used, {}


def _state(path: Path) -> tuple[object, ...]:
    """Return what tells whether something changed in a folder since it was read."""
    found: list[object] = [str(path)]
    for folder in (path / name for name in _INSIDE):
        try:
            with os.scandir(folder) as entries:
                for entry in islice(entries, MAX_FOLDERS):
                    stat = entry.stat()
                    found.append((entry.name, stat.st_size, stat.st_mtime_ns, stat.st_ino))
        except OSError:
            found.append(folder.name)
    return tuple(found)


def free_name(ref: str, taken: Container[str]) -> str:
    """Return a reference that no other model has: it, else it with a number."""
    name, number = ref, 2
    while ref in taken:
        ref, number = f"{name}-{number}", number + 1
    return ref


def own_sampling(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model's own sampling under our names, as its configuration of generation says it:
    without ``do_sample`` it takes the likeliest token."""
    if not config.get("do_sample", False):
        return {"temperature": 0.0} if config else {}
    return {
        ours: config[theirs]
        for theirs, ours in _SAMPLING.items()
        if config.get(theirs) and (theirs != "temperature" or config[theirs] <= MOST_TEMPERATURE)
    }
