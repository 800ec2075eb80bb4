"""Packages that pip plans to install: its report, read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from venom_core.plugins.names import CORE_DISTRIBUTION, normalized
from venom_core.sdk.numbers import digits

if TYPE_CHECKING:
    from importlib.metadata import Distribution

_HEAD_TIMEOUT = 5.0
_HEADS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Addition:
    """A distribution that the plan brings.

    Args:
        size_bytes: of the wheel; None where the index does not say.
        replaces: the installed version that it takes the place of, None for a new one.
        sha256: in hexadecimal; None where the index does not say.
    """

    name: str
    version: str
    filename: str
    size_bytes: int | None
    replaces: str | None
    sha256: str | None

    def pin(self, hashed: bool) -> str:
        """Return the line of a requirements file that is this version, and where wished this
        file."""
        pin = f"{self.name}=={self.version}"
        return f"{pin} --hash=sha256:{self.sha256}" if hashed else pin


class PlannedPackage:
    """One distribution of pip's installation report."""

    def __init__(self, entry: dict[str, Any]) -> None:
        metadata, download = entry["metadata"], entry["download_info"]
        self.name = normalized(metadata["name"])
        self.version: str = metadata["version"]
        self.requires: list[str] = metadata.get("requires_dist") or []
        self.direct = bool(entry.get("is_direct"))
        self.url: str = download["url"]
        self.path = unquote(urlsplit(self.url).path)
        archive = download.get("archive_info") or {}
        self.sha256: str | None = (archive.get("hashes") or {}).get("sha256")

    @property
    def filename(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def file(self) -> Path | None:
        return Path(self.path) if urlsplit(self.url).scheme == "file" else None

    def pins_core(self, version: str) -> bool:
        """Return whether it requires exactly the running core, as every plugin of our release
        does."""
        wanted = f"{CORE_DISTRIBUTION}=={version}"
        return any(re.sub(r"[\s()]", "", requirement) == wanted for requirement in self.requires)


def planned(report: Mapping[str, Any]) -> list[PlannedPackage]:
    """Return the distributions of a report."""
    return [PlannedPackage(entry) for entry in report.get("install", ())]


def all_hashed(additions: Collection[Addition]) -> bool:
    """Return whether each has a hash: pip takes them for all or for none."""
    return all(addition.sha256 for addition in additions)


def additions_of(
    packages: Iterable[PlannedPackage], installed: Mapping[str, Distribution]
) -> tuple[Addition, ...]:
    """Return what packages add, by name, each with its size. Blocks: an index is asked for it."""
    from concurrent.futures import ThreadPoolExecutor

    packages = sorted(packages, key=lambda package: package.name)
    with ThreadPoolExecutor(_HEADS_AT_ONCE, "venom-size") as pool:
        sizes = list(pool.map(_size, packages))
    return tuple(
        Addition(
            name=package.name,
            version=package.version,
            filename=package.filename,
            size_bytes=size,
            replaces=installed[package.name].version if package.name in installed else None,
            sha256=package.sha256,
        )
        for package, size in zip(packages, sizes, strict=True)
    )


def _size(package: PlannedPackage) -> int | None:
    """Return the wheel's bytes, from the file or from the index's answer to HEAD."""
    if package.file is not None:
        return package.file.stat().st_size if package.file.exists() else None
    if urlsplit(package.url).scheme not in ("http", "https"):
        return None
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    try:
        request = Request(package.url, method="HEAD")
        with urlopen(request, timeout=_HEAD_TIMEOUT) as answer:
            return digits(answer.headers["Content-Length"], "index.content-length")
    except (URLError, OSError, ValueError):
        return None  # shown as unknown
