"""Models of Hugging Face on this disk: how they are named, and what a shared cache folder holds.

The layout is huggingface_hub's: ``models--org--name/{blobs,refs,snapshots/<commit>}``. Nothing here
needs the library or a network. Looking at folders blocks; callers run it in threads.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

#: The branch that is taken where a reference names none.
DEFAULT_REVISION = "main"
#: The quantization that is taken where a reference names none.
DEFAULT_LABEL = "Q4_K_M"
HOST = "hf.co/"
#: A commit as it is written.
COMMIT = re.compile(r"[0-9a-f]{40}")
_HOSTS = re.compile(r"^(?:hf\.co|huggingface\.co)/")
_REFERENCE = re.compile(
    r"([A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})"
    r"(?::([A-Za-z0-9][\w.-]{0,95}))?"
    r"(?:@([A-Za-z0-9][\w./-]{0,95}))?",
    re.ASCII,
)
_QUANTIZATION = re.compile(
    r"(?<![A-Za-z0-9])((?:I?Q\d(?:_[A-Z0-9]+)*|T?Q\d_\d|BF16|FP?16|FP?32|MXFP4(?:_[A-Z0-9]+)*))"
    r"(?![A-Za-z0-9])",
    re.IGNORECASE | re.ASCII,
)
_PART = re.compile(r"-(\d{5})-of-(\d{5})$", re.ASCII)
MOST_PARTS = 1000
_MODEL_FILE = re.compile(r"model(?:-\d{5}-of-\d{5})?\.safetensors", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_INDEX = "model.safetensors.index.json"


@dataclass(frozen=True, slots=True)
class HubRef:
    """A model of the Hub: ``org/model[:label][@revision]``.

    Args:
        label: one GGUF of several by its quantization, in its canonical form.
        revision: None for the repository's main branch.
    """

    repo: str
    label: str | None = None
    revision: str | None = None

    @classmethod
    def parse(cls, text: str, *, with_host: bool = False) -> HubRef | None:
        """Read a reference; None where the text is none.

        Args:
            with_host: take ``hf.co/org/model`` only, where a bare ``org/model`` is another's name.
        """
        bare = _HOSTS.sub("", text)
        found = _REFERENCE.fullmatch(bare)
        if found is None or ".." in text or (with_host and bare == text):
            return None
        revision = None if found[3] == DEFAULT_REVISION else found[3]
        return cls(found[1], found[2] and canonical_label(found[2]), revision)

    def __str__(self) -> str:
        label = f":{self.label}" if self.label else ""
        return f"{self.repo}{label}{f'@{self.revision}' if self.revision else ''}"

    @property
    def with_host(self) -> str:
        """Return the reference as others than the Hub's own provider write it."""
        return f"{HOST}{self}"


def canonical_label(text: str) -> str:
    """Return a label as listings show it: a quantization in capitals, anything else as it is."""
    return text.upper() if _QUANTIZATION.fullmatch(text) else text


def label_of(name: str) -> str:
    """Return the label of a GGUF file: ``Q4_K_M`` of ``gemma-3-1b-it-Q4_K_M.gguf``, else the whole
    name without what no label may hold."""
    leaf = re.sub(r"\.gguf$", "", PurePosixPath(name).name, flags=re.IGNORECASE)
    leaf = _PART.sub("", leaf)
    found = _QUANTIZATION.findall(leaf)
    return found[-1].upper() if found else re.sub(r"[^\w.-]", "-", leaf, flags=re.ASCII)[:96]


def gguf_groups(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the whole GGUF models by label, each with its parts in order.

    A projector for images is no model of its own; a model of which a part is missing is none.
    """
    parts: dict[tuple[str, int], list[str]] = {}
    for name in sorted(names):
        stem = PurePosixPath(name).stem
        if not is_gguf_model(name):
            continue
        found = _PART.search(stem)
        base = name[: name.rindex("-", 0, name.rindex("-of-"))] if found else name
        parts.setdefault((base, int(found[2]) if found else 1), []).append(name)
    groups: dict[str, list[str]] = {}
    for (base, count), members in sorted(parts.items(), key=lambda item: len(item[0][0])):
        label = label_of(base)
        if len(members) == count and label not in groups:
            groups[label] = members
    return groups


def is_gguf_model(name: str) -> bool:
    """Return whether a file's name is that of a GGUF model, or of a part of one."""
    path = PurePosixPath(name)
    return path.suffix.lower() == ".gguf" and "mmproj" not in path.stem.lower()


def is_part(name: str) -> bool:
    """Return whether a file's name is that of one part of several."""
    return _PART.search(PurePosixPath(name).stem) is not None


def is_later_part(name: str) -> bool:
    """Return whether a file's name is that of a part that another one comes before."""
    found = _PART.search(PurePosixPath(name).stem)
    return found is not None and int(found[1]) != 1


def parts_of(path: Path) -> list[Path]:
    """Return every file that belongs to a model on the disk, there or not, the first one first: the
    file alone, or all its parts."""
    found = _PART.search(path.stem)
    if found is None:
        return [path]
    count = min(int(found[2]), MOST_PARTS)
    base = path.stem[: found.start()]
    names = (f"{base}-{part:05}-of-{found[2]}{path.suffix}" for part in range(1, count + 1))
    return [path.with_name(name) for name in names]


def safetensors_of(names: Iterable[str]) -> list[str]:
    """Return the weights at the top of a repository: ``model.safetensors`` or its parts, else
    whatever safetensors there are; the same weights often lie there twice under other names."""
    top = sorted(name for name in names if name.endswith(".safetensors") and "/" not in name)
    return [name for name in top if _MODEL_FILE.fullmatch(name)] or top


def default_cache(env: Mapping[str, str] | None = None) -> Path:
    """Return where the library keeps its cache, by its own variables."""
    env = os.environ if env is None else env
    if env.get("HF_HUB_CACHE"):
        return Path(env["HF_HUB_CACHE"]).expanduser()
    home = env.get("HF_HOME") or str(Path(env.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
    return Path(home).expanduser() / "hub"


@dataclass(frozen=True, slots=True)
class CachedModel:
    """One whole model of a cache: a folder of safetensors, or one GGUF, be it in parts.

    Args:
        ref: its ``label`` is None for safetensors.
        snapshot: the folder of its commit; ``files`` are names in it, the weights last.
        digest: what the files are, wherever they are listed; see ``Model.digest``.
    """

    ref: HubRef
    snapshot: Path
    files: tuple[str, ...]
    digest: str

    @property
    def commit(self) -> str:
        """Return the commit that its files are of."""
        return self.snapshot.name

    @property
    def size_bytes(self) -> int:
        """Return the bytes of all its files."""
        return sum(size_of(self.snapshot / name) for name in self.files)


def cached_models(cache: Path) -> Iterator[CachedModel]:
    """Yield every whole model of a cache; halves of one are not seen.

    Of several revisions of a repository the main branch's come first.
    """
    for ref, snapshot in cached_snapshots(cache):
        yield from _models(ref.repo, ref.revision, snapshot)


def cached_snapshots(cache: Path) -> Iterator[tuple[HubRef, Path]]:
    """Yield the folder of every commit of a cache, whatever it holds, with how it is named; of
    several of a repository the main branch's first."""
    for folder in repositories(cache):
        repo = folder.name.removeprefix("models--").replace("--", "/", 1)
        names = _revisions(folder)
        found = [
            (revision, snapshot)
            for snapshot in folders(folder / "snapshots")
            for revision in names.get(snapshot.name, [snapshot.name])
        ]
        for revision, snapshot in sorted(found, key=lambda one: one[0] != DEFAULT_REVISION):
            yield HubRef(repo, None, None if revision == DEFAULT_REVISION else revision), snapshot


def _models(repo: str, revision: str | None, snapshot: Path) -> Iterator[CachedModel]:
    names = [name_in(path, snapshot) for path in snapshot.rglob("*") if path.is_file()]
    tensors = safetensors_of(names)
    if tensors and _is_whole(snapshot, tensors):
        beside = [name for name in names if not name.endswith((".gguf", ".safetensors"))]
        files = (*beside, *tensors)
        digest = f"commit:{snapshot.name}"
        yield CachedModel(HubRef(repo, None, revision), snapshot, files, digest)
    for label, parts in gguf_groups(names).items():
        blob = Path(os.path.realpath(snapshot / parts[0])).name
        # One commit holds many models: its folder is the whole, this is a part of it.
        digest = f"commit:{snapshot.name}#{label}"
        if len(parts) == 1 and _SHA256.fullmatch(blob):
            digest = f"sha256:{blob}"
        yield CachedModel(HubRef(repo, label, revision), snapshot, tuple(parts), digest)


def _is_whole(snapshot: Path, tensors: Sequence[str]) -> bool:
    """Return whether the parts that the index, or their own names, speak of are all there."""
    index = snapshot / _INDEX
    if index.is_file() and tensors[0].startswith("model"):
        try:
            parts = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False
        return parts <= set(tensors)
    counts = {name.rpartition("-of-")[2].partition(".")[0] for name in tensors if "-of-" in name}
    return not counts or (len(counts) == 1 and counts == {f"{len(tensors):05d}"})


def repositories(cache: Path) -> Iterator[Path]:
    """Yield the folders of a cache's models."""
    for folder in folders(cache):
        if folder.name.startswith("models--") and folder.name.count("--") >= 2:
            yield folder


def repository_folder(cache: Path, repo: str) -> Path:
    """Return the folder of one repository, be it there or not."""
    return cache / f"models--{repo.replace('/', '--')}"


def _revisions(repository: Path) -> dict[str, list[str]]:
    """Return by commit the name that stands for it; of several the main branch's."""
    names: dict[str, list[str]] = {}
    for commit, path in revision_files(repository / "refs"):
        names.setdefault(commit, []).append(name_in(path, repository / "refs"))
    for commit, known in names.items():
        names[commit] = [DEFAULT_REVISION] if DEFAULT_REVISION in known else known[:1]
    return names


def revision_files(refs: Path) -> Iterator[tuple[str, Path]]:
    """Yield the commits that names of revisions stand for, each with the file that says so."""
    for path in sorted(refs.rglob("*")) if refs.is_dir() else ():
        if path.is_file() and not path.name.startswith("."):
            with contextlib.suppress(OSError, UnicodeDecodeError):
                commit = path.read_text(encoding="ascii").strip()
                if COMMIT.fullmatch(commit):
                    yield commit, path


def folders(folder: Path) -> Iterator[Path]:
    """Yield the folders in a folder by name; none where it cannot be read."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    yield from (entry for entry in entries if entry.is_dir())


def name_in(path: Path, root: Path) -> str:
    """Return a path below a folder as the Hub writes it."""
    return path.relative_to(root).as_posix()


def size_of(path: Path) -> int:
    """Return a file's bytes; 0 where it is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
