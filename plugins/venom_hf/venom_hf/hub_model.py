"""A model as the Hub's API tells of it: one row of a listing, or one repository with its files.

What cannot be (a size of thirty digits, a date of no calendar) counts as not told, and hides
neither the rest of its row nor another row.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from venom_core.sdk.architecture import MAX_BYTES
from venom_core.sdk.hub_download import HubFile
from venom_core.sdk.numbers import MOST_EXACT, say, size, whole
from venom_core.sdk.utc import utc_text

#: Bytes of one number, by the names that safetensors has for types.
_BYTES = {
    "F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2,
    "U16": 2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class HubModel:
    """None where the Hub does not tell.

    Args:
        id: ``org/name``. sha: the commit.
        tensor_bytes: of the weights, by the count and the type of their numbers.
        updated_at: ISO 8601 in UTC.
        files: those with a size; what has none cannot be fetched.
    """

    id: str
    sha: str | None = None
    tags: tuple[str, ...] = ()
    task: str | None = None
    downloads: int | None = None
    likes: int | None = None
    license: str | None = None
    gated: bool | None = None
    has_tensors: bool = False
    tensor_bytes: int | None = None
    updated_at: str | None = None
    files: tuple[HubFile, ...] = ()

    @classmethod
    def of(cls, row: object) -> HubModel | None:
        """Return the model of a row; None for a row that names none."""
        if not isinstance(row, Mapping):
            return None
        name = _text(row.get("id")) or _text(row.get("modelId"))
        if name is None:
            return None
        tags = row.get("tags")
        tags = tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()
        tensors, siblings = row.get("safetensors"), row.get("siblings")
        gated = row.get("gated")
        return cls(
            id=name,
            sha=_text(row.get("sha")),
            tags=tags,
            task=_text(row.get("pipeline_tag")),
            downloads=whole(row.get("downloads"), "hub.model.downloads", MOST_EXACT),
            likes=whole(row.get("likes"), "hub.model.likes", MOST_EXACT),
            license=_license(row.get("cardData"), tags),
            gated=None if gated is None else bool(gated),
            has_tensors="safetensors" in tags or tensors is not None,
            tensor_bytes=_tensor_bytes(tensors),
            updated_at=moment(row.get("lastModified"), "hub.model.lastModified"),
            files=tuple(_files(siblings)) if isinstance(siblings, list) else (),
        )


def moment(text: object, name: str) -> str | None:
    """Return a moment of the Hub's as ISO 8601 in UTC; None where it is none."""
    if text is None:
        return None
    if isinstance(text, str):
        with contextlib.suppress(ValueError, OverflowError):
            return utc_text(datetime.fromisoformat(text), "seconds")
    say(name, text)
    return None


def _files(siblings: list[Any]) -> Iterator[HubFile]:
    for one in siblings:
        name = _text(one.get("rfilename")) if isinstance(one, Mapping) else None
        if name is None:
            continue
        lfs = one.get("lfs")
        if isinstance(lfs, Mapping):
            bytes_, digest, git = size(lfs.get("size"), "hub.file.size"), lfs.get("sha256"), None
        else:
            bytes_, digest, git = size(one.get("size"), "hub.file.size"), None, one.get("blobId")
        if bytes_ is not None:
            yield HubFile(name, bytes_, sha256=_text(digest), git=_text(git))


def _license(card: object, tags: tuple[str, ...]) -> str | None:
    told = _text(card.get("license")) if isinstance(card, Mapping) else None
    return told or next((tag[8:] for tag in tags if tag.startswith("license:")), None)


def _tensor_bytes(tensors: object) -> int | None:
    """Return the sum over all types of numbers; None where one of the counts cannot be: a sum
    without a part is none."""
    counts = tensors.get("parameters") if isinstance(tensors, Mapping) else None
    if not isinstance(counts, Mapping) or not counts:
        return None
    name = "hub.model.parameters"
    known = {kind: whole(count, name, MAX_BYTES) for kind, count in counts.items()}
    if None in known.values():
        return None
    total = sum((count or 0) * _BYTES.get(str(kind), 1) for kind, count in known.items())
    return whole(total, name, MAX_BYTES)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
