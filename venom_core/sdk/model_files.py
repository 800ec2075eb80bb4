"""The files of a folder that strangers made: its own, plain, and the ones that were looked at.

A name that a model's file gives leads nowhere but into the folder. A file may be a link in one
place only: a snapshot of the Hugging Face cache, whose files are links to the blobs of the same
repository. What was looked at is told apart from what lies there later by its identity.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from venom_core.sdk.model_refusals import damaged, incomplete, shown, unsafe

MOST_PARTS = 4
_LONGEST = 255
#: Of other systems' paths, and of what they and the runtime find by a pattern.
_MARKS = frozenset('\\:*?"<>|')
_BLOB = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
#: Opening a pipe must not wait for whoever writes to it; Windows has neither flag.
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A plain file of a folder.

    Args:
        name: in the folder, its parts with ``/`` between them.
        real: where its bytes lie.
        identity: tells which file it is, and that nobody wrote to it since.
    """

    name: str
    real: Path
    size_bytes: int
    identity: tuple[int, ...]

    def open(self) -> BinaryIO:
        """Open it to be read, without a buffer. Raises the refusal where it is another file by now,
        or cannot be read."""
        try:
            handle = os.open(self.real, _FLAGS | _BINARY)
        except FileNotFoundError as error:
            raise incomplete(f"{shown(self.name)} is missing.") from error
        except OSError as error:
            raise damaged(f"{shown(self.name)} cannot be read.") from error
        if _identity(os.fstat(handle)) != self.identity:
            os.close(handle)
            raise damaged(f"{shown(self.name)} was changed while it was looked at.")
        return os.fdopen(handle, "rb", buffering=0)

    def read(self, most_bytes: int) -> bytes:
        """Return all of it. Raises the refusal where it is longer than ``most_bytes``."""
        if self.size_bytes > most_bytes:
            raise damaged(f"{shown(self.name)} is larger than such a file can be.")
        with self.open() as file:
            try:
                return file.read()
            except OSError as error:
                raise damaged(f"{shown(self.name)} cannot be read.") from error

    def check(self) -> None:
        """Raise the refusal where it is no longer the file that was looked at."""
        try:
            found = self.real.lstat()
        except OSError as error:
            raise incomplete(f"{shown(self.name)} is missing.") from error
        if _identity(found) != self.identity:
            raise damaged(f"{shown(self.name)} was changed since it was looked at.")


def own_file(folder: Path, name: str, *, beside: str = "", single: bool = False) -> OwnFile:
    """Look at a file of a folder by a name that somebody else wrote.

    Args:
        folder: resolved.
        beside: the file of the folder that gives the name, which is beside it.
        single: it must have this name only, no other hard link on the disk.

    Raises the refusal where the name leads outside, or to anything but a plain file that is there.
    """
    parts = (*PurePosixPath(beside).parent.parts, *_parts(name))
    at = folder
    for part in parts[:-1]:
        at /= part
        if not stat.S_ISDIR(_looked_at(at, name).st_mode):
            raise unsafe(f"{shown(name)} leads through a link.")
    real = at / parts[-1]
    found = _looked_at(real, name)
    if stat.S_ISLNK(found.st_mode):
        real = _blob(folder, real, name)
        found = _looked_at(real, name)
    if not stat.S_ISREG(found.st_mode):
        raise unsafe(f"{shown(name)} is no plain file.")
    if single and found.st_nlink != 1:
        raise unsafe(f"{shown(name)} is a hard link: the same file lies elsewhere too.")
    return OwnFile("/".join(parts), real, found.st_size, _identity(found))


def there(folder: Path, name: str) -> OwnFile | None:
    """Return a file of a folder by a name of ours; None where it has none."""
    return own_file(folder, name) if os.path.lexists(folder / name) else None


def _parts(name: str) -> tuple[str, ...]:
    parts = tuple(name.split("/"))
    odd = len(name) > _LONGEST or not name.isprintable() or not _MARKS.isdisjoint(name)
    if odd or len(parts) > MOST_PARTS or {"", ".", ".."} & set(parts):
        raise unsafe(f"It names a file outside its folder: {shown(name)}")
    return parts


def _looked_at(path: Path, name: str) -> os.stat_result:
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise incomplete(f"{shown(name)} is missing.") from error
    except OSError as error:
        raise damaged(f"{shown(name)} cannot be read.") from error


def _blob(folder: Path, link: Path, name: str) -> Path:
    """Return what a link of a Hugging Face snapshot leads to: a blob of the same repository."""
    snapshot = next((one for one in (folder, *folder.parents) if _is_snapshot(one)), None)
    try:
        target = link.parent / link.readlink()
        parent = target.parent.resolve()
    except (OSError, RuntimeError) as error:  # a circle of links is the latter before Python 3.13
        raise unsafe(f"{shown(name)} is a link to a file elsewhere.") from error
    ours = snapshot is not None and parent == snapshot.parent.parent / "blobs"
    if not ours or not _BLOB.fullmatch(target.name):
        raise unsafe(f"{shown(name)} is a link to a file elsewhere.")
    return parent / target.name


def _is_snapshot(folder: Path) -> bool:
    return (
        _COMMIT.fullmatch(folder.name) is not None
        and folder.parent.name == "snapshots"
        and folder.parent.parent.name.startswith("models--")
    )


def _identity(found: os.stat_result) -> tuple[int, ...]:
    """A link to it changes a file's inode time, but not these."""
    kind = stat.S_IFMT(found.st_mode)
    return kind, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
