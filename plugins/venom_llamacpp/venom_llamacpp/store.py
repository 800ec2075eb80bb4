"""The pulled models on the disk: ``<models_dir>/llamacpp/<name>.gguf`` with ``<name>.json`` beside.

A model is there when both files are, and the first is as long as the second says. The GGUF gets its
name last but one, by a rename, after its digest was checked; so a model that is seen is whole.
Everything here blocks; callers run it in threads.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from venom_core.sdk.architecture import MAX_CONTEXT
from venom_core.sdk.disk import (
    check_space,
    discard,
    disk_errors,
    make_writable_folder,
    safe_name,
    write_file,
)
from venom_core.sdk.errors import StorageError
from venom_core.sdk.gguf import MOST_KIND
from venom_core.sdk.numbers import plain, whole

logger = logging.getLogger(__name__)

BLOCK = 1024 * 1024
_PART = re.compile(r"\.[0-9a-f]{12}\.part$")


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
        """Return a folder for one pull; what an interrupted one left in it is removed."""
        path = self.folder / f".pull-{safe_name(ref)}"
        with disk_errors():
            if path.exists():
                shutil.rmtree(path)
            path.mkdir(parents=True)
        return path

    def part(self, ref: str, sha256: str) -> Path:
        """Return where a pull collects its bytes. The digest keeps the halves of two versions
        apart."""
        return self.folder / f"{safe_name(ref)}.{sha256[:12]}.part"

    def forget(self, ref: str) -> None:
        """Remove what a pull that did not end left behind; a whole model stays."""
        name = safe_name(ref)
        leftovers = [self.folder / f".pull-{name}", *self.folder.glob(f".{name}.json.*.part")]
        leftovers += [
            path for path in self.folder.glob("*.part") if _PART.sub("", path.name) == name
        ]
        if self.find(ref) is None:
            leftovers.append(self.gguf(ref))
        for path in leftovers:
            discard(path)

    def list(self) -> tuple[StoredModel, ...]:
        """Return every whole model, by name."""
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
            write_file(target.with_suffix(".json"), json.dumps(record), mode=0o666)
        return stored

    def remove(self, ref: str) -> None:
        with disk_errors():
            self.gguf(ref).with_suffix(".json").unlink(missing_ok=True)
            self.gguf(ref).unlink(missing_ok=True)

    def _read(self, path: Path) -> StoredModel | None:
        try:
            record = json.loads(path.read_text())
            file = path.with_suffix(".gguf")
            size = file.stat().st_size
            # Compared first: what is recorded may be anything, the disk's own word is a number.
            if type(record["size_bytes"]) is not int or record["size_bytes"] != size:
                raise ValueError("not the recorded size")
            facts = _facts(record.get("facts"))
            stored = StoredModel(str(record["ref"]), file, size, str(record["sha256"]), facts)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            logger.warning("the model record %s is left out: %s", path.name, error)
            return None
        return stored


def _facts(recorded: object) -> dict[str, Any]:
    """Return the recorded facts of a header without the numbers that cannot be."""
    if not isinstance(recorded, Mapping):
        return {}
    facts = plain(recorded, "llamacpp.record", keys=False)
    for name, most in (("context_length", MAX_CONTEXT), ("pooling", MOST_KIND)):
        facts[name] = whole(facts.get(name), f"llamacpp.record.{name}", most)
    return {name: value for name, value in facts.items() if value is not None}


def prepare(store: ModelStore, needed: int, ref: str) -> None:
    """Make the folder. Raises ``StorageError`` where it cannot be written, or has no room for so
    many bytes."""
    make_writable_folder(store.folder)
    check_space(store.folder, needed, ref)


def digest_mismatch(ref: str) -> StorageError:
    return StorageError(
        f"What was fetched for {ref} is not what it should be: its sha256 differs. It was removed.",
        code="digest_mismatch",
        fix="Fetch it again; if it happens again, the index or a proxy on the way is not to be "
        "trusted.",
    )
