"""Which files of a repository are fetched, and why the others are not.

Weights are taken as safetensors or GGUF: formats that hold numbers only. A pickle (``.bin``,
``.pt``, ``.ckpt``...) is a program that runs when it is loaded; none is ever fetched, and
neither is Python code that a repository brings along.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from venom_core.sdk.errors import InvalidRequest, ModelNotFound
from venom_hf.references import HubRef

Kind = Literal["gguf", "safetensors"]

DEFAULT_LABEL = "Q4_K_M"
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".dill", ".npy", ".npz")
#: Beside the weights: configuration, tokenizer, licence.
BESIDE = (".json", ".txt", ".model", ".jinja", ".md", ".tiktoken")
BESIDE_NAMES = ("LICENSE", "LICENCE", "NOTICE", "USE_POLICY")
MAX_BESIDE_BYTES = 64 * 1024 * 1024

_QUANT = re.compile(
    r"(?<![A-Za-z0-9])((?:I?Q\d(?:_[A-Z0-9]+)*|T?Q\d_\d|BF16|FP?16|FP?32|MXFP4(?:_[A-Z0-9]+)*))"
    r"(?![A-Za-z0-9])",
    re.IGNORECASE | re.ASCII,
)
_PART = re.compile(r"-(\d{5})-of-(\d{5})$", re.ASCII)
_MODEL_FILE = re.compile(r"model(?:-\d{5}-of-\d{5})?\.safetensors", re.ASCII)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the Hub lists it. ``sha256`` is known of large files, ``git`` (the blob's id in
    git, a sha1) of small ones."""

    name: str
    size_bytes: int
    sha256: str | None = None
    git: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What a pull of one reference fetches, in the order in which it does: the weights last, so
    that whoever sees them sees a whole model. ``label`` is None for safetensors."""

    kind: Kind
    label: str | None
    files: tuple[RemoteFile, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


def choose(files: Sequence[RemoteFile], ref: HubRef) -> Choice:
    """What ``ref`` means among a repository's files.

    Raises ``ModelNotFound`` naming what there is, and ``InvalidRequest`` (``unsafe_weights``) where
    the weights are pickles only.
    """
    harmless = [file for file in files if is_safe_name(file.name)]
    ggufs = gguf_groups([file.name for file in harmless])
    tensors = safetensors_of([file.name for file in harmless])
    by_name = {file.name: file for file in harmless}
    if ref.label is not None or (ggufs and not tensors):
        label = _labelled(ggufs, ref)
        return Choice("gguf", label, tuple(by_name[name] for name in ggufs[label]))
    if tensors:
        beside = [file for file in harmless if _is_beside(file)]
        weights = [by_name[name] for name in tensors]
        return Choice("safetensors", None, (*_by_size(beside), *weights))
    raise no_weights(ref.repo, [file.name for file in files])


def no_weights(repo: str, names: Sequence[str]) -> InvalidRequest:
    """The refusal for a repository from which nothing may be fetched."""
    pickled = sorted(name for name in names if is_pickle(name))
    if pickled:
        return InvalidRequest(
            f"{repo} has its weights as pickles only ({pickled[0]}). A pickle runs code of its "
            "author's when it is loaded, so none is fetched.",
            code="unsafe_weights",
            param="name",
            fix="Choose a repository with safetensors or GGUF: venom search NAME --format gguf",
        )
    return InvalidRequest(
        f"{repo} has no weights that can be fetched.",
        code="no_weights",
        param="name",
        fix="Choose a repository with safetensors or GGUF: venom search NAME --format gguf",
    )


def why_not(name: str, size_bytes: int | None) -> str | None:
    """Why a file is never fetched; None for one that may be."""
    if not is_safe_name(name):
        return "Its name points outside its repository."
    if is_pickle(name):
        return "A pickle runs code of its author's when it is loaded."
    if name.endswith(".py"):
        return "Code of a repository is not fetched."
    if name.endswith((".safetensors", ".gguf")):
        return None
    return None if _is_beside(RemoteFile(name, size_bytes or 0)) else "A model needs no such file."


def is_pickle(name: str) -> bool:
    return name.lower().endswith(PICKLES)


def is_safe_name(name: str) -> bool:
    """Whether a name from outside stays inside its folder, on every system."""
    parts = name.split("/")
    return bool(
        0 < len(name) <= 300
        and name.isprintable()
        and not re.search(r'[\\:*?"<>|]', name)
        and all(part and part not in (".", "..") and not part.endswith(" ") for part in parts)
    )


def gguf_groups(names: Iterable[str]) -> dict[str, list[str]]:
    """The whole GGUF models by label, each with its parts in order. A projector for images is no
    model of its own; a model of which a part is missing is none."""
    parts: dict[tuple[str, int], list[str]] = {}
    for name in sorted(names):
        stem = PurePosixPath(name).stem
        if not name.lower().endswith(".gguf") or "mmproj" in stem.lower():
            continue
        found = _PART.search(stem)
        base = name[: name.rindex("-", 0, name.rindex("-of-"))] if found else name
        parts.setdefault((base, int(found[2]) if found else 1), []).append(name)
    groups: dict[str, list[str]] = {}
    for (base, count), members in sorted(parts.items(), key=lambda item: len(item[0][0])):
        label = _label(base)
        if len(members) == count and label not in groups:
            groups[label] = members
    return groups


def _label(base: str) -> str:
    """``Q4_K_M`` of ``gemma-3-1b-it-Q4_K_M.gguf``; else the whole name."""
    leaf = PurePosixPath(base).name.removesuffix(".gguf")
    found = _QUANT.findall(leaf)
    return found[-1].upper() if found else re.sub(r"[^\w.-]", "-", leaf, flags=re.ASCII)[:96]


def _labelled(groups: dict[str, list[str]], ref: HubRef) -> str:
    if ref.label is None:
        if DEFAULT_LABEL in groups:
            return DEFAULT_LABEL
        if len(groups) == 1:
            return next(iter(groups))
    else:
        for label in groups:
            if label.casefold() == ref.label.casefold():
                return label
    there = ", ".join(sorted(groups)[:12]) or "no whole GGUF file"
    example = next(iter(groups), DEFAULT_LABEL)
    raise ModelNotFound(
        f"{ref.repo} has no {ref.label or DEFAULT_LABEL}; it has {there}.",
        param="name",
        fix=f"Name the quantization: venom pull hf://{ref.repo}:{example}",
    )


def safetensors_of(names: Iterable[str]) -> list[str]:
    """The weights at the top of a repository: ``model.safetensors`` or its parts, else whatever
    safetensors there are; the same weights often lie there twice under other names."""
    top = sorted(name for name in names if name.endswith(".safetensors") and "/" not in name)
    return [name for name in top if _MODEL_FILE.fullmatch(name)] or top


def _is_beside(file: RemoteFile) -> bool:
    if "/" in file.name or file.size_bytes > MAX_BESIDE_BYTES or is_pickle(file.name):
        return False
    return file.name.endswith(BESIDE) or file.name.startswith(BESIDE_NAMES)


def _by_size(files: Iterable[RemoteFile]) -> list[RemoteFile]:
    return sorted(files, key=lambda file: (file.size_bytes, file.name))
