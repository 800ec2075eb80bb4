"""A release as it lies in `dist/`: what belongs to it, and where."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from tools.plugins import packages
from tools.projects import ROOT, declared_version
from tools.wheels import DIST

SUMS = "SHA256SUMS"


class NotRun(Exception):
    """A rule could not be asked; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Release:
    """The tree that is released and the folder that its artefacts are in."""

    root: Path = ROOT
    dist: Path = DIST

    @property
    def version(self) -> str:
        return str(declared_version(self.root))

    @property
    def names(self) -> tuple[str, ...]:
        """The distributions, as their files are named: `venom`, `venom_hf`."""
        return ("venom", *packages(self.root))

    @property
    def wheelhouse(self) -> Path:
        return self.dist / "wheelhouse"

    @property
    def bills(self) -> Path:
        return self.dist / "sbom"

    @property
    def provenance(self) -> Path:
        return self.dist / "provenance.json"

    def is_ours(self, file: Path) -> bool:
        """Return whether a wheel is named as one of our distributions."""
        ours = {str(canonicalize_name(name)) for name in self.names}
        return str(canonicalize_name(file.name.split("-")[0])) in ours

    def built(self) -> list[Path]:
        """Return our wheels and sdists.

        Raises:
            NotRun: nothing is built.
        """
        found = sorted([*self.dist.glob("*.whl"), *self.dist.glob("*.tar.gz")])
        if not found:
            raise NotRun("nothing is built: make release")
        return found

    def housed(self) -> list[Path]:
        """Return the wheels of the wheelhouse.

        Raises:
            NotRun: there is none.
        """
        found = sorted(self.wheelhouse.glob("*.whl"))
        if not found:
            raise NotRun("there is no wheelhouse: make release")
        return found

    def files(self) -> Iterator[str]:
        """Yield everything that is handed out, relative to `dist/`, but the list of its sums."""
        for path in sorted(self.dist.rglob("*")):
            name = path.relative_to(self.dist).as_posix()
            if path.is_file() and name not in (SUMS, self.provenance.name):
                yield name


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sums(text: str) -> dict[str, str]:
    """Return name -> sum of a list as sha256sum writes it."""
    pairs = (line.split("  ", 1) for line in text.splitlines() if "  " in line)
    return {name: digest for digest, name in pairs}


def written_sums(folder: Path, names: Iterator[str] | list[str]) -> str:
    """Return the text of a list that `sha256sum --check` reads."""
    return "".join(f"{sha256(folder / name)}  {name}\n" for name in names)
