"""The Hugging Face cache: what it holds, what a pull still needs, and removing from it.

Its layout is the library's: ``models--org--name/{blobs,refs,snapshots/<commit>}``. Looking needs
neither the library nor a network. Everything here blocks; callers run it in threads.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from venom_core.sdk.disk import Place, disk_refusal
from venom_core.sdk.errors import ModelNotFound
from venom_core.sdk.hub_download import HubFile
from venom_core.sdk.hub_files import (
    DEFAULT_REVISION,
    CachedModel,
    HubRef,
    cached_models,
    folders,
    name_in,
    repository_folder,
    revision_files,
    size_of,
)
from venom_core.sdk.provider import Model
from venom_hf.unfinished_pulls import UnfinishedPull

CACHE = Place("The Hugging Face cache", "HF_HUB_CACHE")
MAX_TEXT_BYTES = 4 * 1024 * 1024


def model_of(cached: CachedModel) -> Model:
    """Return a cached model as listings show it."""
    gguf = cached.ref.label is not None
    return Model(
        ref=str(cached.ref),
        type="gguf" if gguf else "folder",
        # A source runs nothing: who serves it says what it can do.
        capabilities=frozenset(),
        title=cached.ref.repo.rpartition("/")[2],
        size_bytes=cached.size_bytes,
        digest=cached.digest,
        location=None if gguf else cached.snapshot.absolute(),
        quantization=cached.ref.label if gguf else None,
        details={
            "source": "Hugging Face cache",
            "repository": cached.ref.repo,
            "commit": cached.commit,
            "revision": cached.ref.revision or DEFAULT_REVISION,
            "files": len(cached.files),
        },
    )


class HubCache:
    """The models in one cache folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def held(self) -> list[CachedModel]:
        """Return every whole model, by reference; halves of one are not seen."""
        found: dict[str, CachedModel] = {}
        for held in cached_models(self.folder):
            found.setdefault(str(held.ref), held)
        return [found[ref] for ref in sorted(found)]

    def find(self, ref: HubRef) -> CachedModel | None:
        """Return a whole model by its reference."""
        return next((one for one in self.held() if _same(one.ref, ref)), None)

    def text(self, held: CachedModel, name: str) -> str | None:
        """Return a text file beside a model's weights; None where there is none."""
        path = self._repository(held.ref.repo) / "snapshots" / held.commit / name
        try:
            if path.stat().st_size > MAX_TEXT_BYTES:
                return None
            return path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def missing_bytes(self, repo: str, commit: str, files: tuple[HubFile, ...]) -> int:
        """Return the bytes of these files that are not here yet."""
        folder = self._repository(repo)
        missing = 0
        for file in files:
            blob = folder / "blobs" / (file.sha256 or file.git or "")
            places = (folder / "snapshots" / commit / file.name, blob)
            if any(size_of(place) == file.size_bytes for place in places):
                continue
            missing += max(0, file.size_bytes - size_of(blob.with_name(f"{blob.name}.incomplete")))
        return missing

    def remove(self, ref: HubRef) -> None:
        """Delete a model and the blobs that nothing else uses. Raises ``ModelNotFound``."""
        held = [one for one in self.held() if one.ref.repo == ref.repo]
        wanted = next((one for one in held if _same(one.ref, ref)), None)
        if wanted is None:
            raise ModelNotFound(
                f"The Hugging Face cache has no {ref}.", param="name", fix="venom list"
            )
        folder = self._repository(ref.repo)
        beside = [one for one in held if one.commit == wanted.commit and one is not wanted]
        try:
            if beside or _halves(folder):  # what is not removed shares the revision's folder
                self._unlink(folder, wanted.commit, [(name, None) for name in wanted.files])
            else:
                self._remove_revision(wanted)
            self._tidy(folder)
        except OSError as error:
            raise disk_refusal(error, CACHE) from error

    def discard(self, pull: UnfinishedPull) -> None:
        """Delete what an unfinished pull brought, as far as nothing else uses it."""
        folder = self._repository(pull.repo)
        whole = {
            name
            for one in self.held()
            if (one.ref.repo, one.commit) == (pull.repo, pull.commit)
            for name in one.files
        }
        files = [(name, blob) for name, blob in pull.files if name not in whole]
        try:
            self._unlink(folder, pull.commit, files)
            self._tidy(folder)
        except OSError as error:
            raise disk_refusal(error, CACHE) from error

    def _remove_revision(self, held: CachedModel) -> None:
        from huggingface_hub import scan_cache_dir

        scan_cache_dir(self.folder).delete_revisions(held.commit).execute()
        if (self._repository(held.ref.repo) / "snapshots" / held.commit).exists():
            raise disk_refusal(PermissionError(errno.EACCES, "still there"), CACHE)

    def _unlink(self, folder: Path, commit: str, files: Sequence[tuple[str, str | None]]) -> None:
        """Remove files of a revision, their halves, and the blobs that no other file points at."""
        names = {name for name, _ in files}
        used = {
            os.path.realpath(path)
            for snapshot in folders(folder / "snapshots")
            for path in snapshot.rglob("*")
            if not (snapshot.name == commit and name_in(path, snapshot) in names)
        }
        for name, digest in files:
            pointer = folder / "snapshots" / commit / name
            blobs = [Path(os.path.realpath(pointer))]
            if digest:
                blob = folder / "blobs" / digest
                blobs += [blob, blob.with_name(f"{digest}.incomplete")]
            pointer.unlink(missing_ok=True)
            for blob in blobs:
                if str(blob) not in used:
                    blob.unlink(missing_ok=True)

    def _tidy(self, folder: Path) -> None:
        """Remove what stands for nothing any more: empty folders, names of revisions without a
        file, and in the end the repository's own folder."""
        for path in sorted((folder / "snapshots").rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
                path.rmdir()
        for commit, path in revision_files(folder / "refs"):
            if not (folder / "snapshots" / commit).is_dir():
                path.unlink(missing_ok=True)
        if not any(folders(folder / "snapshots")) and not _halves(folder):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(self.folder / ".locks" / folder.name, ignore_errors=True)

    def _repository(self, repo: str) -> Path:
        return repository_folder(self.folder, repo)


def _same(held: HubRef, asked: HubRef) -> bool:
    return held == asked or (
        held.repo == asked.repo
        and held.revision == asked.revision
        and (held.label or "").casefold() == (asked.label or "").casefold()
    )


def _halves(folder: Path) -> list[Path]:
    """Return what unfinished downloads have brought so far, of whichever program."""
    return list((folder / "blobs").glob("*.incomplete"))
