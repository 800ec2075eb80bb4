"""The pulled models on the disk: ``<models_dir>/llamacpp/<name>.gguf`` with ``<name>.json`` beside.

A model is there when both files are, and the first is as long as the second says. The GGUF gets its
name last but one, by a rename, after its digest was checked; so a model that is seen is whole.
Everything here blocks; callers run it in threads.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from venom_core.sdk.errors import StorageError

logger = logging.getLogger(__name__)

BLOCK = 1024 * 1024
# What a disk needs beside the files themselves.
SPARE_BYTES = 64 * 1024 * 1024
_PART = re.compile(r"\.[0-9a-f]{12}\.part$")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class StoredModel:
    """One pulled model. ``facts`` are those of its header that listings show."""

    ref: str
    path: Path
    size_bytes: int
    sha256: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class ModelStore:
    """The folder of pulled models."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def gguf(self, ref: str) -> Path:
        return self.folder / f"{safe_name(ref)}.gguf"

    def temporary(self, ref: str) -> Path:
        """A folder for one pull; what an interrupted one left in it is removed."""
        path = self.folder / f".pull-{safe_name(ref)}"
        with disk_errors():
            if path.exists():
                shutil.rmtree(path)
            path.mkdir(parents=True)
        return path

    def part(self, ref: str, sha256: str) -> Path:
        """Where a pull collects its bytes. The digest keeps the halves of two versions apart."""
        return self.folder / f"{safe_name(ref)}.{sha256[:12]}.part"

    def forget(self, ref: str) -> None:
        """Remove what a pull that did not end left behind; a whole model stays."""
        name = safe_name(ref)
        leftovers = [self.folder / f".pull-{name}", self.gguf(ref).with_suffix(".json.tmp")]
        leftovers += [
            path for path in self.folder.glob("*.part") if _PART.sub("", path.name) == name
        ]
        if self.find(ref) is None:
            leftovers.append(self.gguf(ref))
        for path in leftovers:
            discard(path)

    def list(self) -> tuple[StoredModel, ...]:
        """Every whole model, by name."""
        try:
            records = sorted(self.folder.glob("*.json"))
        except OSError:
            return ()
        return tuple(found for path in records if (found := self._read(path)) is not None)

    def find(self, ref: str) -> StoredModel | None:
        found = self._read(self.folder / f"{safe_name(ref)}.json")
        return found if found is not None and found.ref == ref else None

    def publish(self, ref: str, file: Path, sha256: str, facts: Mapping[str, Any]) -> StoredModel:
        """Give a checked file its name; from now on it is a model."""
        target = self.gguf(ref)
        stored = StoredModel(ref, target, file.stat().st_size, sha256, facts)
        record = asdict(stored) | {"path": target.name}
        with disk_errors():
            with file.open("rb") as written:
                os.fsync(written.fileno())
            os.replace(file, target)
            temporary = target.with_suffix(".json.tmp")
            temporary.write_text(json.dumps(record))
            os.replace(temporary, target.with_suffix(".json"))
        return stored

    def remove(self, ref: str) -> None:
        with disk_errors():
            self.gguf(ref).with_suffix(".json").unlink(missing_ok=True)
            self.gguf(ref).unlink(missing_ok=True)

    def _read(self, path: Path) -> StoredModel | None:
        try:
            record = json.loads(path.read_text())
            file = path.with_suffix(".gguf")
            stored = StoredModel(
                str(record["ref"]), file, int(record["size_bytes"]), str(record["sha256"]),
                dict(record.get("facts") or {}),
            )  # fmt: skip
            if file.stat().st_size != stored.size_bytes:
                raise ValueError("not the recorded size")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("the model record %s is left out: %s", path.name, error)
            return None
        return stored


def safe_name(ref: str) -> str:
    """A file name for a reference: readable, and different for different references."""
    name = _UNSAFE.sub("--", ref).strip(".")
    return name if name == ref else f"{name}-{hashlib.sha256(ref.encode()).hexdigest()[:8]}"


def check_space(folder: Path, needed: int) -> None:
    """Raise ``StorageError`` where the disk has no room for ``needed`` bytes."""
    with disk_errors():
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise OSError(errno.EACCES, "not writable")
        free = shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        raise StorageError(
            f"The disk has {free / 1e9:.1f} GB free; this model needs "
            f"{(needed + SPARE_BYTES) / 1e9:.1f} GB while it is fetched.",
            code="disk_full",
            fix="Free some space, remove a model with venom rm, or set VENOM_HOME to another disk.",
        )


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """What the disk refuses, as refusals that people understand."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError(
                "The disk became full.",
                code="disk_full",
                fix="Free some space, remove a model with venom rm, or set VENOM_HOME to another "
                "disk.",
            ) from error
        raise StorageError(
            "The model store cannot be written.",
            code="store_not_writable",
            fix="Make the folder models in Venom's home writable, or set VENOM_HOME to a place "
            "that is.",
        ) from error


def digest_mismatch(ref: str) -> StorageError:
    return StorageError(
        f"What was fetched for {ref} is not what it should be: its sha256 differs. It was removed.",
        code="digest_mismatch",
        fix="Fetch it again; if it happens again, the index or a proxy on the way is not to be "
        "trusted.",
    )


def sha256_of(path: Path) -> str:
    with disk_errors(), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def size_of_tree(folder: Path) -> int:
    """Bytes of all files below a folder that others are changing meanwhile."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(root) / name).lstat().st_size
    return total


def discard(path: Path) -> None:
    """Remove a file or a folder, as far as it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
