"""Files on a disk: room for them, putting them in place in one step, digests, and refusals.

Everything here blocks; callers on an event loop run it in threads.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from venom_core.sdk.errors import NoDiskSpace, StorageError

#: What a disk needs beside the files themselves.
SPARE_BYTES = 64 * 1024 * 1024
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_FULL = (errno.ENOSPC, errno.EDQUOT)
#: What a disk answers; any other ``OSError`` may come from a network on the way.
_DISK = (
    *_FULL, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOENT, errno.ENOTDIR,
    errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP, errno.EFBIG, errno.EBUSY,
    errno.ENODEV, errno.ENXIO, errno.ESTALE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that is written to, in words.

    Args:
        title: begins a sentence ("The model store").
        variable: the environment variable that moves it to another disk.
        code: of the refusal where it cannot be written.
    """

    title: str = "The model store"
    variable: str = "VENOM_HOME"
    code: str = "store_not_writable"


MODEL_STORE = Place()


def check_space(folder: Path, needed: int, what: str, place: Place = MODEL_STORE) -> None:
    """Raise ``NoDiskSpace`` where the disk of ``folder``, which may be still to come, has no room.

    Args:
        needed: bytes still to be written; the spare room is added here.
        what: names in the sentence what needs them.
    """
    with disk_errors(place):
        free = shutil.disk_usage(nearest_folder(folder)).free
    if free < needed + SPARE_BYTES:
        raise NoDiskSpace(
            f"The disk has {free / 1e9:.1f} GB free; {what} needs "
            f"{(needed + SPARE_BYTES) / 1e9:.1f} GB.",
            fix=_make_room(place),
        )


def make_writable_folder(folder: Path, place: Place = MODEL_STORE) -> None:
    """Make a folder and see that it can be written; raise ``StorageError`` where not."""
    with disk_errors(place):
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise OSError(errno.EACCES, "not writable")


def nearest_folder(folder: Path) -> Path:
    """Return the folder, or the nearest one above that is there: both are on one disk."""
    return next(path for path in (folder, *folder.parents) if path.exists())


@contextlib.contextmanager
def disk_errors(place: Place = MODEL_STORE) -> Iterator[None]:
    """Raise what the disk refuses as :func:`disk_refusal` names it; other faults pass."""
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK:
            raise
        raise disk_refusal(error, place) from error


@contextlib.contextmanager
def storage_errors(refusal: Callable[[OSError], StorageError]) -> Iterator[None]:
    """Raise ``NoDiskSpace`` where a disk is full, and for any other ``OSError`` the refusal that is
    made of it."""
    try:
        yield
    except OSError as error:
        raise (disk_refusal if is_full(error) else refusal)(error) from error


def disk_refusal(error: OSError, place: Place = MODEL_STORE) -> StorageError:
    """Return the refusal that an ``OSError`` met while writing stands for."""
    if is_full(error):
        return NoDiskSpace("The disk became full.", fix=_make_room(place))
    if error.errno == errno.EROFS:
        return StorageError(
            f"{place.title} lies on a disk that is mounted read-only.",
            code=place.code,
            fix=f"Mount it for writing, or set {place.variable} to a place that can be written.",
        )
    return StorageError(
        f"{place.title} cannot be written.",
        code=place.code,
        fix=f"Make its folder writable, or set {place.variable} to a place that is.",
    )


def is_full(error: OSError) -> bool:
    """Return whether an error says that a disk or a quota is used up."""
    return error.errno in _FULL


def _make_room(place: Place) -> str:
    return (
        "Free some space, remove a model with venom rm NAME, or set "
        f"{place.variable} to another disk."
    )


@contextlib.contextmanager
def replacing(target: Path, *, mode: int = 0o600, durable: bool = False) -> Iterator[BinaryIO]:
    """Write a file that gets its name when the block ends, and none where it raises.

    Whoever reads ``target`` meanwhile sees what was there before. Raises ``OSError``.

    Args:
        mode: of the new file from its first byte on; 0o666 leaves it to the umask.
        durable: wait until the content is on the disk before the name is.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(
        temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode
    )
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_file(
    target: Path, content: str | bytes, *, mode: int = 0o600, durable: bool = False
) -> None:
    """Put a file in place in one step, as :func:`replacing` does. Raises ``OSError``."""
    with replacing(target, mode=mode, durable=durable) as stream:
        stream.write(content.encode("utf-8") if isinstance(content, str) else content)


def sha256_of(path: Path) -> str:
    """Return a file's sha256 in hexadecimal. Raises ``OSError``."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def discard(path: Path) -> None:
    """Remove a file or a folder, as far as it is there and can be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def size_of_tree(folder: Path) -> int:
    """Return the bytes of all files below a folder that others are changing meanwhile."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(root) / name).lstat().st_size
    return total


def safe_name(ref: str) -> str:
    """Return a file name for a reference: readable, and different for different references."""
    name = _UNSAFE.sub("--", ref).strip(".")
    return name if name == ref else f"{name}-{hashlib.sha256(ref.encode()).hexdigest()[:8]}"
