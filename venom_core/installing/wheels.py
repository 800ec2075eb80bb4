"""A wheel file of a plugin: looked at before pip sees it, and before anything of it runs."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from venom_core.plugins import discovery, gates
from venom_core.plugins.names import CORE_DISTRIBUTION, FIRST_PARTY, RESERVED_NAMES
from venom_core.sdk.disk import sha256_of
from venom_core.sdk.entry_points import API_MAJOR, ENTRY_POINT_PREFIX
from venom_core.sdk.errors import Conflict, InvalidRequest, NotFound, Unavailable

if TYPE_CHECKING:
    from importlib_metadata._meta import SimplePath

SUFFIX = ".whl"
#: Bytes of one file of the metadata.
MOST_METADATA = 4 * 1024 * 1024
#: Bytes of all files together, unpacked.
MOST_UNPACKED = 8 * 1024**3
_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class PluginWheel:
    """A wheel that may be installed.

    Args:
        distribution: its normalized name.
        sha256: of the file, in hexadecimal.
    """

    path: Path
    distribution: str
    version: str
    size_bytes: int
    sha256: str

    @property
    def requirement(self) -> str:
        """Return the line of a requirements file that is this file and no other."""
        return f"{self.distribution} @ {self.path.as_uri()}" + f" --hash=sha256:{self.sha256}"


def is_wheel_file(name: str) -> bool:
    """Return whether a person names a file, and not a distribution of an index."""
    return name.endswith(SUFFIX)


def read_wheel(name: str, core_version: str) -> PluginWheel:
    """Return the wheel at a path. Its files are compared with the hashes in it; nothing of it runs.

    Raises:
        NotFound: ``file_not_found``.
        InvalidRequest: ``wheel_damaged``; ``not_a_plugin``, where no entry point leads to one.
        Conflict: ``plan_refused`` for a file under the name of Venom's release.
        VenomError: with the reason's code, as the host would refuse it once it is installed:
            ``api_mismatch``, ``core_mismatch``, ``known_bad``, ``name_reserved``.
    """
    path = Path(name).expanduser().absolute()
    if not path.is_file():
        raise NotFound(
            f"There is no file {path}.", fix="Check the path.", code="file_not_found", param="name"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            found, (distribution, version) = _look_into(archive, path)
            _check_files(archive, path)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        if isinstance(error, InvalidRequest):
            raise
        _damaged(path, "it is cut short, or no zip file")
    if distribution in FIRST_PARTY:
        known = sorted(one for one, owner in RESERVED_NAMES.items() if owner == distribution)
        raise Conflict(
            f"{path.name} is called like a part of Venom's release, {distribution}.",
            fix=f"venom plugins install {known[0] if known else CORE_DISTRIBUTION}",
            code="plan_refused",
        )
    if not found:
        raise InvalidRequest(
            f"{path.name} is no plugin of Venom: it has no entry point in the group"
            f" {ENTRY_POINT_PREFIX}{API_MAJOR}.",
            fix="Its author adds one to pyproject.toml; venom plugins new makes a project that has"
            " it.",
            code="not_a_plugin",
        )
    for one in found:
        refusal = gates.first_refusal(one, gates.Policy(core_version))
        if refusal is not None:
            raise refusal.reason.error()
    return PluginWheel(path, distribution, version, path.stat().st_size, sha256_of(path))


def _look_into(
    archive: zipfile.ZipFile, path: Path
) -> tuple[list[discovery.Found], tuple[str, str]]:
    """Return the plugins that the metadata tells of, and the distribution's name and version."""
    from importlib_metadata import PathDistribution

    folders = {name.split("/", 1)[0] for name in archive.namelist() if ".dist-info/" in name}
    names = [name for name in folders if name.endswith(".dist-info")]
    if len(names) != 1:
        _damaged(path, "it has no metadata of one distribution")
    for file in ("METADATA", "RECORD", "WHEEL", "entry_points.txt"):
        place = f"{names[0]}/{file}"
        if place not in archive.namelist():
            if file != "entry_points.txt":
                _damaged(path, f"it has no {file}")
        elif archive.getinfo(place).file_size > MOST_METADATA:
            _damaged(path, f"its {file} is too large")
    # The backport's protocol is of pathlib's; a zip's path has what is used of it.
    metadata = PathDistribution(cast("SimplePath", zipfile.Path(archive, f"{names[0]}/")))
    distribution, version, _ = discovery.facts(metadata)
    _check_name(path, distribution, version)
    return list(discovery.plugins_of(metadata)), (distribution, version)


def _check_name(path: Path, distribution: str, version: str) -> None:
    """Refuse a file that is called like another one, or made for another machine."""
    from packaging.tags import sys_tags
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename
    from packaging.version import InvalidVersion, Version

    try:
        name, named, _, tags = parse_wheel_filename(path.name)
        if (name, named) != (distribution, Version(version)):
            _damaged(path, "its name is not that of what is in it")
    except (InvalidWheelFilename, InvalidVersion):
        _damaged(path, "its name is no wheel's")
    if tags.isdisjoint(sys_tags()):
        raise Unavailable(
            f"{path.name} is made for another Python or another system.",
            fix="Fetch or build the one for this Python.",
            code="plugin_not_available",
        )


def _check_files(archive: zipfile.ZipFile, path: Path) -> None:
    """Compare every file with the hash that the wheel's own list has for it."""
    members = [one for one in archive.infolist() if not one.is_dir()]
    if sum(one.file_size for one in members) > MOST_UNPACKED:
        _damaged(path, "it is too large when unpacked")
    record = next(one.filename for one in members if one.filename.endswith(".dist-info/RECORD"))
    rows = csv.reader(io.StringIO(archive.read(record).decode("utf-8")))
    listed = {row[0]: row[1] for row in rows if len(row) == 3}
    for member in members:
        if member.filename == record or member.filename.endswith((".jws", ".p7s")):
            continue
        if listed.get(member.filename) != _digest(archive, member):
            _damaged(path, f"{member.filename} in it is not the file that its list names")


def _digest(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    digest = hashlib.sha256()
    with archive.open(member) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return "sha256=" + base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def _damaged(path: Path, why: str) -> NoReturn:
    raise InvalidRequest(
        f"{path.name} is no whole wheel: {why}.",
        fix="Build it again, or fetch it again from where it is published.",
        code="wheel_damaged",
    )
