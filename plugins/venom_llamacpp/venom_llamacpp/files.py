"""GGUF files that others keep, found, named, read once: those named in the setting ``model_paths``,
and those in the shared Hugging Face cache, whoever fetched them.

Everything here blocks; callers run it in threads.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from venom_core.sdk.gguf import GgufHeader, NotGguf, model_name, read_header

logger = logging.getLogger(__name__)

MAX_FILES = 1000
MAX_DEPTH = 4
_SHA256 = re.compile(r"[0-9a-f]{64}")
_QUANT = re.compile(r"(?<![A-Za-z0-9])(?:IQ|Q|TQ|F|BF|MXFP)\d\w*", re.ASCII | re.IGNORECASE)
_CACHED = re.compile(r"hf\.co/[\w.-]{1,96}/[\w.-]{1,96}:[\w.-]{1,60}", re.ASCII)
_LATER_PART = re.compile(r"-(?!00001-of)\d{5}-of-\d{5}$", re.ASCII)


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A GGUF file and the name that it got. ``digest`` is ``sha256:...`` where the cache tells."""

    ref: str
    path: Path
    header: GgufHeader
    digest: str | None = None


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
        """The GGUF files of the configured places."""
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


class CachedFiles(LocalFiles):
    """The cache's layout is huggingface_hub's: ``models--org--name/snapshots/<commit>/<file>``,
    a link to ``blobs/<sha256>``."""

    def list(self) -> tuple[LocalFile, ...]:
        found: dict[str, LocalFile] = {}
        for path in self._paths():
            header, ref = self._header(path), _cached_ref(path)
            if header is not None and ref is not None:
                blob = path.resolve().name
                digest = f"sha256:{blob}" if _SHA256.fullmatch(blob) else None
                found.setdefault(ref, LocalFile(ref, path, header, digest))
        return tuple(found.values())

    def _paths(self) -> Iterator[Path]:
        for place in self._places:
            fitting = sorted(place.glob("models--*/snapshots/*/*.gguf"), reverse=True)
            yield from [path for path in fitting if _serves(path)][:MAX_FILES]


def default_cache(env: Mapping[str, str]) -> Path:
    """Where huggingface_hub keeps its cache, by its own variables."""
    home = env.get("HF_HOME") or str(Path(env.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
    return Path(home).expanduser() / "hub"


def _cached_ref(path: Path) -> str | None:
    """``hf.co/org/name:QUANT``, as the embedded engine names what it fetches itself."""
    repo = path.parents[2].name.removeprefix("models--").replace("--", "/", 1)
    quant = _QUANT.search(path.stem)
    ref = f"hf.co/{repo}:{quant[0] if quant else path.stem}"
    return ref if _CACHED.fullmatch(ref) else None


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
    name, number = model_name(path), 2
    ref = name
    while ref in taken:
        ref, number = f"{name}-{number}", number + 1
    return ref
