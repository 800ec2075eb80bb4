"""Pulls that were begun and have not ended: the record of what a cancelled one left behind.

One small file a pull, in the provider's own folder. Everything here blocks.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from venom_core.sdk.disk import write_file
from venom_hf.client import Plan


@dataclass(frozen=True, slots=True)
class UnfinishedPull:
    """``files`` are names in the snapshot with the names of their blobs."""

    repo: str
    commit: str
    files: tuple[tuple[str, str], ...]


class UnfinishedPulls:
    """The folder of these records."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def record(self, ref: str, plan: Plan) -> None:
        files = [(file.name, file.sha256 or file.git or "") for file in plan.choice.files]
        record = {"ref": ref, "repo": plan.repo, "commit": plan.commit, "files": files}
        # Without the note the pull works as well; only what a cancelled one left is not found.
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_file(self._path(ref), json.dumps(record))

    def find(self, ref: str) -> UnfinishedPull | None:
        try:
            record = json.loads(self._path(ref).read_text(encoding="utf-8"))
            files = tuple((str(name), str(blob)) for name, blob in record["files"])
            return UnfinishedPull(str(record["repo"]), str(record["commit"]), files)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def forget(self, ref: str) -> None:
        with contextlib.suppress(OSError):
            self._path(ref).unlink(missing_ok=True)

    def _path(self, ref: str) -> Path:
        return self._folder / f"{hashlib.sha256(ref.encode()).hexdigest()[:24]}.json"
