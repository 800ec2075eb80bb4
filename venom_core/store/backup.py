"""A backup: the store and the settings in one file. Models are not in it: they can be fetched.

The archive is a ZIP with ``manifest.json``, which names the release, the schema and each file's
sha256. Only the names known here are ever read from one.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from venom_core._version import __version__
from venom_core.sdk.disk import disk_refusal, is_full, replacing, sha256_of
from venom_core.sdk.errors import Conflict, InvalidRequest, NotFound, StorageError
from venom_core.sdk.utc import utc_text
from venom_core.store.schema import KNOWN, schema_of
from venom_core.store.snapshot import copy_database

FORMAT = 1
MANIFEST = "manifest.json"
MAX_BYTES = 16 * 1024**3
_FIX = "Name a file that venom backup has written."


class DataDirectory(Protocol):
    """The data directory, as far as a backup needs it; the settings' ``Paths`` is one."""

    @property
    def home(self) -> Path: ...
    @property
    def store_file(self) -> Path: ...
    @property
    def config_file(self) -> Path: ...
    def make(self, directory: Path) -> Path: ...


@dataclass(frozen=True, slots=True)
class Backup:
    """The contents of an archive. ``files`` gives each one's sha256, ``created_at`` is UTC."""

    version: str
    schema: str | None
    created_at: str
    files: Mapping[str, str]


def write_backup(paths: DataDirectory, target: Path) -> Backup:
    """Write an archive, readable by its owner only; it may run beside a server.

    Raises ``Conflict`` where the file is there, ``NotFound`` where there is nothing to keep, and
    ``StorageError``.
    """
    if target.exists():
        raise Conflict(f"{target} is there already.", code="file_exists", fix="Name another file.")
    with _disk(), tempfile.TemporaryDirectory(prefix="venom-backup-") as folder:
        files: dict[str, Path] = {}
        if paths.store_file.exists():
            files["venom.db"] = Path(folder) / "venom.db"
            copy_database(paths.store_file, files["venom.db"])
        if paths.config_file.exists():
            files["config.toml"] = paths.config_file
        if not files:
            raise NotFound(
                f"{paths.home} holds no settings and no store yet.",
                code="nothing_to_back_up",
                fix="VENOM_HOME names the data directory; see: venom config show",
            )
        found = Backup(
            __version__,
            schema_of(files["venom.db"]) if "venom.db" in files else None,
            utc_text(precision="seconds"),
            {name: sha256_of(path) for name, path in files.items()},
        )
        _write(target, found, files)
    return found


def read_backup(source: Path) -> Backup:
    """Return what an archive says of itself. Raises ``NotFound`` or ``InvalidRequest``."""
    if not source.is_file():
        raise NotFound(f"There is no file {source}.", code="backup_not_found", fix=_FIX)
    try:
        with zipfile.ZipFile(source) as archive:
            manifest: Any = json.loads(archive.read(MANIFEST))
            if manifest["format"] != FORMAT:
                raise _not_ours()
            files = {str(name): str(digest) for name, digest in manifest["files"].items()}
            schema = manifest["schema"]
            found = Backup(str(manifest["version"]), schema, str(manifest["created_at"]), files)
            sizes = [archive.getinfo(name).file_size for name in files]
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _not_ours() from error
    if not files or not set(files) <= {"venom.db", "config.toml"} or sum(sizes) > MAX_BYTES:
        raise _not_ours()
    if schema is not None and schema not in KNOWN:
        raise StorageError(
            f"The backup is of Venom {found.version}, whose schema is unknown here.",
            code="store_too_new",
            fix="Install that version, or a newer one.",
        )
    return found


def restore_backup(paths: DataDirectory, source: Path) -> Path | None:
    """Put an archive's files in place; gives the backup of what was there before, if anything was.

    The caller holds the data directory: nothing may use it meanwhile. What the archive does not
    have stays as it is. Raises like :func:`read_backup`, and ``StorageError`` where a file is not
    what the manifest says; then nothing was changed.
    """
    found = read_backup(source)
    with _disk():
        paths.make(paths.home)
        fresh = {_temporary(paths, name): _place(paths, name) for name in found.files}
        try:
            for name, digest in found.files.items():
                _unpack(source, name, digest, _temporary(paths, name))
            before = _kept(paths)
            for temporary, target in fresh.items():
                os.replace(temporary, target)
        finally:
            for temporary in fresh:
                temporary.unlink(missing_ok=True)
        if "venom.db" in found.files:  # they belong to the file that is gone
            for suffix in ("-wal", "-shm"):
                store = paths.store_file
                store.with_name(f"{store.name}{suffix}").unlink(missing_ok=True)
    return before


def _place(paths: DataDirectory, name: str) -> Path:
    return paths.store_file if name == "venom.db" else paths.config_file


def _temporary(paths: DataDirectory, name: str) -> Path:
    place = _place(paths, name)
    return place.with_name(f"{place.name}.restoring")


def _kept(paths: DataDirectory) -> Path | None:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    target = paths.home / "backups" / f"before-restore-{stamp}.zip"
    paths.make(target.parent)
    with contextlib.suppress(NotFound):
        write_backup(paths, target)
        return target
    return None


def _unpack(source: Path, name: str, digest: str, target: Path) -> None:
    """Return the checked content of one member."""
    target.unlink(missing_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out, zipfile.ZipFile(source) as archive:
        try:
            with archive.open(name) as member:
                while block := member.read(1024 * 1024):
                    out.write(block)
        except zipfile.BadZipFile as error:
            raise _damaged(name) from error
        out.flush()
        os.fsync(out.fileno())
    if sha256_of(target) != digest:
        raise _damaged(name)


def _write(target: Path, found: Backup, files: Mapping[str, Path]) -> None:
    manifest = {
        "format": FORMAT,
        "version": found.version,
        "schema": found.schema,
        "created_at": found.created_at,
        "files": dict(found.files),
    }
    with replacing(target) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, json.dumps(manifest, indent=2))
        for name, path in files.items():
            archive.write(path, name)


@contextlib.contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise disk_refusal(error) from error
        raise StorageError(
            f"A file could not be written or read ({error.strerror}).",
            code="backup_failed",
            fix="Check the free space and the rights of the folder.",
        ) from error


def _not_ours() -> InvalidRequest:
    return InvalidRequest("The file is no backup of Venom.", code="backup_not_valid", fix=_FIX)


def _damaged(name: str) -> StorageError:
    return StorageError(
        f"The backup is damaged: {name} is not what its manifest says. Nothing was changed.",
        code="digest_mismatch",
        fix="Use another copy of the backup.",
    )
