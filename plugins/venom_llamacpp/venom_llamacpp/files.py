"""GGUF files that others keep, found, named, read once: those named in the setting ``model_paths``,
and those in the shared Hugging Face cache, whoever fetched them.

Everything here blocks; callers run it in threads.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from venom_core.sdk.gguf import GgufHeader, NotGguf, model_name, read_header
from venom_core.sdk.hub_files import (
    CachedModel,
    cached_models,
    is_gguf_model,
    is_later_part,
    parts_of,
)

logger = logging.getLogger(__name__)

MAX_FILES = 1000
MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A GGUF file and the name that it got. ``digest`` is ``sha256:...`` where the cache tells;
    ``missing``: names of those of its parts that are not there."""

    ref: str
    path: Path
    header: GgufHeader
    digest: str | None = None
    missing: tuple[str, ...] = ()


class LocalFiles:
    """Looks at the configured places anew each time; headers are read again only when changed."""

    def __init__(self, places: Sequence[str]) -> None:
        self._places = [Path(place).expanduser() for place in places]
        self._headers: dict[tuple[str, int, int], GgufHeader | None] = {}

    def list(self) -> tuple[LocalFile, ...]:
        found: dict[str, LocalFile] = {}
        for path in self._paths():
            header = self._header(path)
            if header is not None:
                ref = _free_name(path, found)
                found[ref] = LocalFile(ref, path, header, missing=_missing(path))
        return tuple(found.values())

    def _paths(self) -> Iterator[Path]:
        """Return the GGUF files of the configured places."""
        seen: set[str] = set()
        for place in self._places:
            for path in sorted(_gguf_below(place, MAX_DEPTH, set())):
                if (real := os.path.realpath(path)) in seen:
                    continue  # a link to what is listed already
                seen.add(real)
                if len(seen) > MAX_FILES:
                    logger.warning("model_paths hold more than %d files; the rest is left out",
                                   MAX_FILES)  # fmt: skip
                    return
                yield path

    def _header(self, path: Path) -> GgufHeader | None:
        try:
            stat = path.stat()
            size = sum(part.stat().st_size for part in parts_of(path) if part.exists())
            key = (str(path), stat.st_mtime_ns, size)
            if key not in self._headers:
                header = _read(path)
                self._headers[key] = header and replace(header, size_bytes=size)
        except OSError as error:
            logger.warning("a file of model_paths cannot be read: %s", error)
            return None
        return self._headers[key]


class CachedFiles(LocalFiles):
    """The GGUF models of shared Hugging Face caches, under the names that pulls give them."""

    def list(self) -> tuple[LocalFile, ...]:
        found: dict[str, LocalFile] = {}
        for place in self._places:
            for cached in islice(_ggufs(place), MAX_FILES):
                ref = replace(cached.ref, revision=None).with_host
                path = cached.snapshot / cached.files[0]
                if ref not in found and (header := self._header(path)) is not None:
                    missing = _missing(path)
                    found[ref] = LocalFile(ref, path, header, cached.digest, missing)
        return tuple(found.values())


def _missing(path: Path) -> tuple[str, ...]:
    return tuple(part.name for part in parts_of(path) if not part.exists())


def _ggufs(cache: Path) -> Iterator[CachedModel]:
    return (cached for cached in cached_models(cache) if cached.ref.label is not None)


def _read(path: Path) -> GgufHeader | None:
    try:
        return read_header(path)
    except NotGguf as error:
        logger.warning("%s is no usable GGUF file: %s", path.name, error)
        return None


def _gguf_below(place: Path, depth: int, seen: set[str]) -> Iterable[Path]:
    """Return the files below a place, each folder looked at once: links may lead in circles."""
    try:
        if place.is_file():
            if _serves(place):
                yield place
        elif place.is_dir() and depth and (real := os.path.realpath(place)) not in seen:
            seen.add(real)
            # Links last: what lies here is listed by its own path and not by a way around.
            for child in sorted(place.iterdir(), key=lambda path: (path.is_symlink(), path)):
                yield from _gguf_below(child, depth - 1, seen)
    except OSError as error:
        logger.warning("a place of model_paths cannot be read: %s", error)


def _serves(path: Path) -> bool:
    return is_gguf_model(path.name) and not is_later_part(path.name)


def _free_name(path: Path, taken: dict[str, LocalFile]) -> str:
    name, number = model_name(path), 2
    ref = name
    while ref in taken:
        ref, number = f"{name}-{number}", number + 1
    return ref
