"""The files of a repository that are fetched, and why the others are not.

Weights are taken as safetensors or GGUF: formats that hold numbers only. A pickle (``.bin``,
``.pt``, ``.ckpt``...) is a program that runs when it is loaded; none is ever fetched, and
neither is Python code that a repository brings along.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from venom_core.sdk.errors import InvalidRequest, ModelNotFound
from venom_core.sdk.hub_download import HubFile
from venom_core.sdk.hub_files import DEFAULT_LABEL, HubRef, gguf_groups, safetensors_of

Kind = Literal["gguf", "safetensors"]

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".dill", ".npy", ".npz")
#: Beside the weights: configuration, tokenizer, licence.
BESIDE = (".json", ".txt", ".model", ".jinja", ".md", ".tiktoken")
BESIDE_NAMES = ("LICENSE", "LICENCE", "NOTICE", "USE_POLICY")
MAX_BESIDE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Choice:
    """The files that a pull of one reference fetches, in that order: the weights last, so
    that whoever sees them sees a whole model. ``label`` is None for safetensors."""

    kind: Kind
    label: str | None
    files: tuple[HubFile, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


def choose(files: Sequence[HubFile], ref: HubRef) -> Choice:
    """Return what ``ref`` means among a repository's files.

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
    """Return the refusal for a repository from which nothing may be fetched."""
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
    """Return why a file is never fetched; None for one that may be."""
    if not is_safe_name(name):
        return "Its name points outside its repository."
    if is_pickle(name):
        return "A pickle runs code of its author's when it is loaded."
    if name.endswith(".py"):
        return "Code of a repository is not fetched."
    if name.endswith((".safetensors", ".gguf")):
        return None
    return None if _is_beside(HubFile(name, size_bytes or 0)) else "A model needs no such file."


def is_pickle(name: str) -> bool:
    return name.lower().endswith(PICKLES)


def is_safe_name(name: str) -> bool:
    """Return whether a name from outside stays inside its folder, on every system."""
    parts = name.split("/")
    return bool(
        0 < len(name) <= 300
        and name.isprintable()
        and not re.search(r'[\\:*?"<>|]', name)
        and all(part and part not in (".", "..") and not part.endswith(" ") for part in parts)
    )


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


def _is_beside(file: HubFile) -> bool:
    if "/" in file.name or file.size_bytes > MAX_BESIDE_BYTES or is_pickle(file.name):
        return False
    return file.name.endswith(BESIDE) or file.name.startswith(BESIDE_NAMES)


def _by_size(files: Iterable[HubFile]) -> list[HubFile]:
    return sorted(files, key=lambda file: (file.size_bytes, file.name))
