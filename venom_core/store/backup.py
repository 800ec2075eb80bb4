"""A backup: the store and the settings in one file. Models are not in it: they can be fetched.

The archive is a ZIP with ``manifest.json``, which names the release, the schema and each file's
sha256. Only the names known here are ever read from one.
"""

from __future__ import annotations

import json
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from venom_core._version import __version__
from venom_core.sdk.disk import discard, replacing, sha256_of, storage_errors
from venom_core.sdk.errors import Conflict, InvalidRequest, NotFound, StorageError
from venom_core.sdk.utc import utc_text
from venom_core.store.database import open_database
from venom_core.store.refusals import faults_of, store_damaged
from venom_core.store.schema import KNOWN, is_store, schema_of
from venom_core.store.scratch import scratch
from venom_core.store.snapshot import copy_database

FORMAT = 1
MANIFEST = "manifest.json"
FILES = frozenset({"venom.db", "config.toml", "secrets.toml"})
MAX_BYTES = 16 * 1024**3
MAX_MANIFEST_BYTES = 64 * 1024
MAX_MANIFEST_TEXT = 200
_FIX = "Name a file that venom backup has written."
#: What zipfile raises for an archive that rot, or that somebody made: encrypted, cut, unknown.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError,
    OverflowError, ValueError, struct.error,
)  # fmt: skip


class DataDirectory(Protocol):
    """The data directory, as far as a backup needs it; the settings' ``Paths`` is one."""

    @property
    def home(self) -> Path: ...
    @property
    def store_file(self) -> Path: ...
    @property
    def config_file(self) -> Path: ...
    @property
    def secrets_file(self) -> Path: ...
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
    if not any(path.exists() for path in (paths.store_file, paths.config_file, paths.secrets_file)):
        raise _nothing(paths)
    with _disk(), scratch(paths.home) as folder:
        files: dict[str, Path] = {}
        if paths.store_file.exists():
            files["venom.db"] = folder / "venom.db"
            copy_database(paths.store_file, files["venom.db"])
            if faults := faults_of(files["venom.db"]):
                raise store_damaged(faults[0])
            if schema_of(files["venom.db"]) is None:  # a server is just making it
                del files["venom.db"]
        if paths.config_file.exists():
            files["config.toml"] = paths.config_file
        if paths.secrets_file.exists():
            files["secrets.toml"] = paths.secrets_file
        if not files:
            raise _nothing(paths)
        found = Backup(
            __version__,
            schema_of(files["venom.db"]) if "venom.db" in files else None,
            utc_text(precision="seconds"),
            {name: sha256_of(path) for name, path in files.items()},
        )
        _write(target, found, files)
    return found


def _nothing(paths: DataDirectory) -> NotFound:
    return NotFound(
        f"{paths.home} holds no settings and no store yet.",
        code="nothing_to_back_up",
        fix="VENOM_HOME names the data directory; see: venom config show",
    )


def read_backup(source: Path) -> Backup:
    """Return what an archive says of itself. Raises ``NotFound`` or ``InvalidRequest``."""
    if not source.is_file():
        raise NotFound(f"There is no file {source}.", code="backup_not_found", fix=_FIX)
    try:
        with zipfile.ZipFile(source) as archive:
            if archive.getinfo(MANIFEST).file_size > MAX_MANIFEST_BYTES:
                raise _not_ours()
            found = _backup(json.loads(archive.read(MANIFEST)))
            sizes = [archive.getinfo(name).file_size for name in found.files]
    except OSError as error:
        raise _unreadable(error) from error
    except (*_BROKEN, KeyError, TypeError) as error:
        raise _not_ours() from error
    names = set(found.files)
    if (
        not names
        or not names <= {"venom.db", "config.toml", "secrets.toml"}
        or sum(sizes) > MAX_BYTES
    ):
        raise _not_ours()
    if found.schema is not None and found.schema not in KNOWN:
        raise _too_new(found.version)
    return found


def _backup(manifest: Any) -> Backup:
    """Return what a manifest says. Raises ``KeyError``, ``TypeError`` or ``ValueError`` where that
    is not what one says: its format is a number, all else a text."""
    if type(manifest["format"]) is not int or manifest["format"] != FORMAT:
        raise ValueError("another format")
    version, created_at, schema = (manifest[name] for name in ("version", "created_at", "schema"))
    files = dict(manifest["files"])
    told = [version, created_at, *files.values(), *(() if schema is None else (schema,))]
    if not all(isinstance(text, str) and len(text) <= MAX_MANIFEST_TEXT for text in told):
        raise TypeError("no text")
    return Backup(version, schema, created_at, files)


def restore_backup(paths: DataDirectory, source: Path) -> Path | None:
    """Put an archive's files in place; gives the backup of what was there before, if anything was:
    an archive, or, where the present store is too damaged for one, the folder with its files.

    The caller holds the data directory: nothing may use it meanwhile. What the archive does not
    have stays as it is. Raises like :func:`read_backup`, and ``StorageError`` where a file is not
    what the manifest says, or no store that this Venom can open; then nothing was changed.
    """
    found = read_backup(source)
    with _disk():
        paths.make(paths.home)
        with scratch(paths.home) as folder:
            for name, digest in found.files.items():
                _unpack(source, name, digest, folder / name)
            _check_new(folder, found)
            return _replace(paths, folder, found)


def _check_new(folder: Path, found: Backup) -> None:
    """See that the unpacked files can be used: the store opens here, at whatever revision it is,
    whatever the manifest says of it. A copy of it is opened, which migrates it."""
    if "venom.db" not in found.files:
        return
    try:
        _check_store(folder / "venom.db", folder / "opened.db")
    except StorageError as error:
        if error.code == "store_too_new":
            raise _too_new(found.version) from error
        if error.code == "store_damaged":
            raise _unusable("venom.db", error.message.rstrip(".")) from error
        raise


def _check_store(file: Path, copy: Path) -> None:
    if faults := faults_of(file):
        raise store_damaged(faults[0])
    if schema_of(file) is None:
        raise store_damaged("it is no store of Venom")
    copy_database(file, copy)
    engine = open_database(copy)
    try:
        if not is_store(engine):
            raise store_damaged("tables are missing")
    finally:
        engine.dispose()


def _replace(paths: DataDirectory, folder: Path, found: Backup) -> Path | None:
    """Move the old files aside and the new ones in; where the new store cannot be opened in its
    place, move everything back."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    backups = paths.make(paths.home / "backups")
    kept: Path | None = backups / f"before-restore-{stamp}.zip"
    try:
        write_backup(paths, backups / f"before-restore-{stamp}.zip")
    except NotFound:
        kept = None
    except StorageError as error:
        if error.code not in ("store_damaged", "store_unreadable", "store_not_writable"):
            raise
        kept = None
    aside = paths.make(backups / f"before-restore-{stamp}")
    moved = [(old, aside / old.name) for old in _old_files(paths, found) if old.exists()]
    done: list[tuple[Path, Path]] = []
    new: list[Path] = []
    try:
        for old, place in moved:
            old.replace(place)
            done.append((old, place))
        for name in found.files:
            (folder / name).replace(_place(paths, name))
            new.append(_place(paths, name))
        if "venom.db" in found.files and faults_of(paths.store_file):
            raise store_damaged("after it was put in place")
    except BaseException:
        # What was not moved yet stays: only what came in goes out again.
        for place in [*new, *(_beside(paths) if paths.store_file in new else ())]:
            place.unlink(missing_ok=True)
        for old, place in done:
            place.replace(old)
        discard(aside)
        raise
    if kept is not None or not moved:
        discard(aside)
        return kept
    return aside


def _old_files(paths: DataDirectory, found: Backup) -> list[Path]:
    """Return the files that the new ones replace, and those that belong to the old store."""
    places = [_place(paths, name) for name in found.files]
    return [*places, *(_beside(paths) if "venom.db" in found.files else ())]


def _beside(paths: DataDirectory) -> list[Path]:
    store = paths.store_file
    return [store.with_name(f"{store.name}{suffix}") for suffix in ("-wal", "-shm")]


def _place(paths: DataDirectory, name: str) -> Path:
    places = {"venom.db": paths.store_file, "secrets.toml": paths.secrets_file}
    return places.get(name, paths.config_file)


def _unpack(source: Path, name: str, digest: str, target: Path) -> None:
    """Write the checked content of one member."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        try:
            with zipfile.ZipFile(source) as archive, archive.open(name) as member:
                while block := member.read(1024 * 1024):
                    out.write(block)
        except _BROKEN as error:
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


def _disk() -> AbstractContextManager[None]:
    return storage_errors(
        lambda error: StorageError(
            f"A file could not be written or read ({error.strerror}).",
            code="backup_failed",
            fix="Check the free space and the rights of the folder.",
        )
    )


def _not_ours() -> InvalidRequest:
    return InvalidRequest("The file is no backup of Venom.", code="backup_not_valid", fix=_FIX)


def _too_new(version: str) -> StorageError:
    return StorageError(
        f"The backup is of Venom {version}, whose schema is unknown here.",
        code="store_too_new",
        fix="Install that version, or a newer one.",
    )


def _unusable(name: str, why: str) -> StorageError:
    return StorageError(
        f"The backup cannot be used: {name} in it is not sound ({why}). Nothing was changed.",
        code="backup_damaged",
        fix="Use another copy of the backup, or an older one.",
    )


def _unreadable(error: OSError) -> StorageError:
    return StorageError(
        f"The backup cannot be read ({error.strerror or 'I/O error'}).",
        code="backup_failed",
        fix="Check the rights of the file and the disk that it lies on.",
    )


def _damaged(name: str) -> StorageError:
    return StorageError(
        f"The backup is damaged: {name} is not what its manifest says. Nothing was changed.",
        code="digest_mismatch",
        fix="Use another copy of the backup.",
    )
