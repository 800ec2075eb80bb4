"""The user's own GGUF files, named in the setting ``model_paths``: found, named, read once.

Everything here blocks; callers run it in threads.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from venom_llamacpp.gguf_header import GgufHeader, NotGguf, read_header

logger = logging.getLogger(__name__)

MAX_FILES = 1000
MAX_DEPTH = 4
_UNFIT = re.compile(r"[^A-Za-z0-9_.:@+-]+", re.ASCII)
_LATER_PART = re.compile(r"-(?!00001-of)\d{5}-of-\d{5}$", re.ASCII)
_FIRST_PART = re.compile(r"-00001-of-\d{5}$", re.ASCII)


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A GGUF file and the name that it got: the file's own, without its folder."""

    ref: str
    path: Path
    header: GgufHeader


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
                found[ref] = LocalFile(ref, path, header)
        return tuple(found.values())

    def _paths(self) -> Iterator[Path]:
        seen = 0
        for place in self._places:
            for path in sorted(_gguf_below(place, MAX_DEPTH)):
                seen += 1
                if seen > MAX_FILES:
                    logger.warning("model_paths hold more than %d files; the rest is left out",
                                   MAX_FILES)  # fmt: skip
                    return
                yield path

    def _header(self, path: Path) -> GgufHeader | None:
        try:
            stat = path.stat()
            key = (str(path), stat.st_mtime_ns, stat.st_size)
            if key not in self._headers:
                self._headers[key] = _read(path)
        except OSError as error:
            logger.warning("a file of model_paths cannot be read: %s", error)
            return None
        return self._headers[key]


def _read(path: Path) -> GgufHeader | None:
    try:
        return read_header(path)
    except NotGguf as error:
        logger.warning("%s is no usable GGUF file: %s", path.name, error)
        return None


def _gguf_below(place: Path, depth: int) -> Iterable[Path]:
    try:
        if place.is_file():
            if _serves(place):
                yield place
        elif place.is_dir() and depth:
            for child in sorted(place.iterdir()):
                yield from _gguf_below(child, depth - 1)
    except OSError as error:
        logger.warning("a place of model_paths cannot be read: %s", error)


def _serves(path: Path) -> bool:
    name = path.stem.lower()
    return path.suffix.lower() == ".gguf" and "mmproj" not in name and not _LATER_PART.search(name)


def _free_name(path: Path, taken: dict[str, LocalFile]) -> str:
    name = _UNFIT.sub("-", _FIRST_PART.sub("", path.stem)).strip(".-:")[:150] or "model"
    name, number = name.replace("..", "."), 2
    ref = name
    while ref in taken:
        ref, number = f"{name}-{number}", number + 1
    return ref
