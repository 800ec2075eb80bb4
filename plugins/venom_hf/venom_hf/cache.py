"""The Hugging Face cache: what it holds, what a pull still needs, and removing from it.

Its layout is the library's: ``models--org--name/{blobs,refs,snapshots/<commit>}``. Looking needs
neither the library nor a network. Everything here blocks; callers run it in threads.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from venom_core.sdk.disk import Place, disk_refusal
from venom_core.sdk.errors import ModelNotFound
from venom_core.sdk.provider import Model
from venom_hf.references import COMMIT, DEFAULT_REVISION, HubRef
from venom_hf.unfinished_pulls import UnfinishedPull
from venom_hf.weights import RemoteFile, gguf_groups, safetensors_of

CACHE = Place("The Hugging Face cache", "HF_HUB_CACHE")
MAX_TEXT_BYTES = 4 * 1024 * 1024
_INDEX = "model.safetensors.index.json"


@dataclass(frozen=True, slots=True)
class CachedModel:
    """One whole model in the cache. ``files`` are its names in the snapshot; ``label`` is None
    for safetensors."""

    ref: HubRef
    commit: str
    files: tuple[str, ...]
    size_bytes: int
    digest: str

    def model(self) -> Model:
        gguf = self.ref.label is not None
        return Model(
            ref=str(self.ref),
            type="gguf" if gguf else "folder",
            # A source runs nothing: who serves it says what it can do.
            capabilities=frozenset(),
            title=self.ref.repo.rpartition("/")[2],
            size_bytes=self.size_bytes,
            digest=self.digest,
            quantization=self.ref.label if gguf else None,
            details={
                "source": "Hugging Face cache",
                "repository": self.ref.repo,
                "commit": self.commit,
                "revision": self.ref.revision or DEFAULT_REVISION,
                "files": len(self.files),
            },
        )


def default_cache(env: Mapping[str, str] | None = None) -> Path:
    """Where the library keeps its cache, by its own variables."""
    env = os.environ if env is None else env
    if env.get("HF_HUB_CACHE"):
        return Path(env["HF_HUB_CACHE"]).expanduser()
    home = env.get("HF_HOME") or str(Path(env.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
    return Path(home).expanduser() / "hub"


class HubCache:
    """The models in one cache folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def held(self) -> list[CachedModel]:
        """Every whole model, by reference; halves of one are not seen."""
        found: dict[str, CachedModel] = {}
        for repo_folder in self._repositories():
            repo = repo_folder.name.removeprefix("models--").replace("--", "/", 1)
            names = _revisions(repo_folder)
            for snapshot in _folders(repo_folder / "snapshots"):
                for held in _models(repo, snapshot, names.get(snapshot.name, [snapshot.name])):
                    found.setdefault(str(held.ref), held)
        return [found[ref] for ref in sorted(found)]

    def find(self, ref: HubRef) -> CachedModel | None:
        """A whole model by its reference."""
        return next((one for one in self.held() if _same(one.ref, ref)), None)

    def text(self, held: CachedModel, name: str) -> str | None:
        """A text file beside a model's weights; None where there is none."""
        path = self._repository(held.ref.repo) / "snapshots" / held.commit / name
        try:
            if path.stat().st_size > MAX_TEXT_BYTES:
                return None
            return path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def missing_bytes(self, repo: str, commit: str, files: tuple[RemoteFile, ...]) -> int:
        """How much of these files is not here yet."""
        folder = self._repository(repo)
        missing = 0
        for file in files:
            blob = folder / "blobs" / (file.sha256 or file.git or "")
            places = (folder / "snapshots" / commit / file.name, blob)
            if any(_size(place) == file.size_bytes for place in places):
                continue
            missing += max(0, file.size_bytes - _size(blob.with_name(f"{blob.name}.incomplete")))
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
            for snapshot in _folders(folder / "snapshots")
            for path in snapshot.rglob("*")
            if not (snapshot.name == commit and _name(path, snapshot) in names)
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
        for commit, path in _pointers(folder / "refs"):
            if not (folder / "snapshots" / commit).is_dir():
                path.unlink(missing_ok=True)
        if not any(_folders(folder / "snapshots")) and not _halves(folder):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(self.folder / ".locks" / folder.name, ignore_errors=True)

    def _repository(self, repo: str) -> Path:
        return self.folder / f"models--{repo.replace('/', '--')}"

    def _repositories(self) -> Iterator[Path]:
        for folder in _folders(self.folder):
            if folder.name.startswith("models--") and folder.name.count("--") >= 2:
                yield folder


def _models(repo: str, snapshot: Path, revisions: list[str]) -> Iterator[CachedModel]:
    """The whole models of one snapshot, under each revision that stands for it."""
    names = [_name(path, snapshot) for path in snapshot.rglob("*") if path.is_file()]
    for revision in revisions:
        asked = None if revision == DEFAULT_REVISION else revision
        tensors = safetensors_of(names)
        if tensors and _is_whole(snapshot, tensors):
            beside = [name for name in names if not name.endswith((".gguf", ".safetensors"))]
            files = (*beside, *tensors)
            yield CachedModel(
                HubRef(repo, None, asked), snapshot.name, files, _sum(snapshot, files),
                f"commit:{snapshot.name}",
            )  # fmt: skip
        for label, parts in gguf_groups(names).items():
            blob = Path(os.path.realpath(snapshot / parts[0])).name
            single = len(parts) == 1 and len(blob) == 64
            # One commit holds many models: its folder is the whole, this is a part of it.
            digest = f"sha256:{blob}" if single else f"commit:{snapshot.name}#{label}"
            yield CachedModel(
                HubRef(repo, label, asked), snapshot.name, tuple(parts),
                _sum(snapshot, parts), digest,
            )  # fmt: skip


def _is_whole(snapshot: Path, tensors: list[str]) -> bool:
    """Whether the parts that the index, or their own names, speak of are all there."""
    index = snapshot / _INDEX
    if index.is_file() and tensors[0].startswith("model"):
        try:
            parts = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False
        return parts <= set(tensors)
    counts = {name.rpartition("-of-")[2].partition(".")[0] for name in tensors if "-of-" in name}
    return not counts or (len(counts) == 1 and counts == {f"{len(tensors):05d}"})


def _revisions(repo_folder: Path) -> dict[str, list[str]]:
    """Commit -> the name that stands for it; the main branch's, where it is one of several."""
    names: dict[str, list[str]] = {}
    for commit, path in _pointers(repo_folder / "refs"):
        names.setdefault(commit, []).append(_name(path, repo_folder / "refs"))
    for commit, known in names.items():
        names[commit] = [DEFAULT_REVISION] if DEFAULT_REVISION in known else known[:1]
    return names


def _pointers(refs: Path) -> Iterator[tuple[str, Path]]:
    """The commits that names of revisions stand for."""
    for path in sorted(refs.rglob("*")) if refs.is_dir() else ():
        if path.is_file() and not path.name.startswith("."):
            with contextlib.suppress(OSError, UnicodeDecodeError):
                commit = path.read_text(encoding="ascii").strip()
                if COMMIT.fullmatch(commit):
                    yield commit, path


def _same(held: HubRef, asked: HubRef) -> bool:
    return held == asked or (
        held.repo == asked.repo
        and held.revision == asked.revision
        and (held.label or "").casefold() == (asked.label or "").casefold()
    )


def _halves(folder: Path) -> list[Path]:
    """What unfinished downloads have brought so far, by whichever program."""
    return list((folder / "blobs").glob("*.incomplete"))


def _folders(folder: Path) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    yield from (entry for entry in entries if entry.is_dir())


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _sum(snapshot: Path, names: tuple[str, ...] | list[str]) -> int:
    return sum(_size(snapshot / name) for name in names)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
