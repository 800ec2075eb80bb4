"""The sources that ``venom plugins install`` takes packages from.

The documented way to Venom is a wheelhouse, a folder with our wheels and their locked dependencies,
since on the public index the name ``venom`` is a stranger's. Where it is known, nothing else is
asked.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from venom_core.plugins.names import CORE_DISTRIBUTION
from venom_core.sdk.disk import write_file
from venom_core.sdk.errors import NotFound, VenomError
from venom_core.settings.paths import Paths

if TYPE_CHECKING:
    from importlib.metadata import Distribution

    from venom_core.settings.layers import Settings

logger = logging.getLogger(__name__)

SUMS = "SHA256SUMS"
_RECORD = "install.json"


@dataclass(frozen=True, slots=True)
class InstallSource:
    """A wheelhouse, or, where ``wheelhouse`` is None, the index that pip is configured for.

    ``sums`` are the wheelhouse's file names with their sha256 in hexadecimal; empty where it has
    no :data:`SUMS`. ``checkout`` is the folder of the sources where Venom runs from them.
    """

    wheelhouse: Path | None
    sums: dict[str, str]
    checkout: Path | None = None

    @property
    def title(self) -> str:
        return f"the wheelhouse {self.wheelhouse}" if self.wheelhouse else "pip's package index"

    def may_have(self, plugin: str) -> bool:
        """Return whether a plugin of the release may come from here. What an index has, only asking
        it would tell."""
        if self.wheelhouse is None:
            return True
        return any(self.wheelhouse.glob(f"venom_{plugin.replace('-', '_')}-*.whl"))

    def options(self) -> list[str]:
        """Return options for pip; none for the index it is configured for."""
        if self.wheelhouse is None:
            return []
        return ["--no-index", "--find-links", str(self.wheelhouse)]


def find_source(settings: Settings, paths: Paths, core: Distribution | None) -> InstallSource:
    """Return the source of the setting ``wheelhouse``, else what :func:`remember` recorded, else
    the folder that the core's wheel was installed from, else pip's index.

    Raises:
        NotFound: ``wheelhouse_not_found``, where one is set and is no folder.
    """
    origin = _direct_url(core)
    checkout = _checkout_of(origin)
    chosen = settings.core.wheelhouse
    if chosen is not None:
        folder = Path(chosen).expanduser()
        if not folder.is_dir():
            raise NotFound(
                f"The wheelhouse {chosen} is no folder.",
                fix="Correct VENOM_WHEELHOUSE or [plugins] wheelhouse, or remove it to use pip's"
                " package index.",
                code="wheelhouse_not_found",
            )
        return InstallSource(folder, _sums(folder), checkout)
    for candidate in (_remembered(paths), _folder_of(origin)):
        if candidate is not None and any(candidate.glob("venom-*.whl")):
            return InstallSource(candidate, _sums(candidate), checkout)
    return InstallSource(None, {}, checkout)


def is_obtainable(settings: Settings, plugin: str) -> bool:
    """Return whether a plugin of the release could be installed from where this was. Blocks."""
    try:
        return find_source(settings, settings.paths, core_distribution()).may_have(plugin)
    except VenomError:
        return False


def core_distribution() -> Distribution | None:
    """Return the installed core, which knows where it came from; None in a bare checkout."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        return distribution(CORE_DISTRIBUTION)
    except PackageNotFoundError:
        return None


def remember(paths: Paths, wheelhouse: Path) -> None:
    """Record the wheelhouse that this installation came from.

    Raises:
        StorageError: ``home_not_writable``.
    """
    paths.make(paths.home)
    content = json.dumps({"wheelhouse": str(wheelhouse.absolute())})
    try:
        write_file(paths.home / _RECORD, content)
    except OSError as error:
        raise paths.not_writable(error) from error


def _remembered(paths: Paths) -> Path | None:
    try:
        content = json.loads((paths.home / _RECORD).read_text(encoding="utf-8"))
        return Path(content["wheelhouse"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError):
        logger.warning("%s cannot be read; it is ignored", _RECORD, exc_info=True)
        return None


def _direct_url(core: Distribution | None) -> dict[str, object]:
    """Return what pip recorded of an install from a file or folder (PEP 610)."""
    text = core.read_text("direct_url.json") if core is not None else None
    try:
        content = json.loads(text) if text else {}
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def installed_hash(distribution: Distribution) -> str | None:
    """Return the sha256 of the file that it was installed from; None where it was none, or pip did
    not say."""
    archive = _direct_url(distribution).get("archive_info")
    hashes = archive.get("hashes") if isinstance(archive, dict) else None
    digest = hashes.get("sha256") if isinstance(hashes, dict) else None
    return digest if isinstance(digest, str) else None


def _checkout_of(origin: dict[str, object]) -> Path | None:
    info, parts = origin.get("dir_info"), urlsplit(str(origin.get("url", "")))
    editable = isinstance(info, dict) and bool(info.get("editable"))
    return Path(unquote(parts.path)) if editable and parts.scheme == "file" else None


def _folder_of(origin: dict[str, object]) -> Path | None:
    parts = urlsplit(str(origin.get("url", "")))
    path = Path(unquote(parts.path))
    return path.parent if parts.scheme == "file" and path.suffix == ".whl" else None


def _sums(folder: Path) -> dict[str, str]:
    try:
        text = (folder / SUMS).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    pairs = (line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    return {pair[1].strip().lstrip("*"): pair[0].lower() for pair in pairs if len(pair) == 2}
