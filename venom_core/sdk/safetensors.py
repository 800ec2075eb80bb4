"""Weights that a build starts from, looked at before a program reads them.

A file of safetensors begins with the length of a JSON header, then the header: each tensor's type,
shape and place. Only the header is read. Blocks; callers run it in threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

from venom_core.sdk.architecture import MAX_BYTES, BadNumber, bounded
from venom_core.sdk.bounded_json import MOST_VALUES, loads
from venom_core.sdk.errors import VenomError
from venom_core.sdk.hub_files import safetensors_of
from venom_core.sdk.model_files import OwnFile, own_file, there
from venom_core.sdk.model_json import MOST_BYTES, read_json
from venom_core.sdk.model_refusals import damaged, incomplete, shown, unsafe

INDEX = "model.safetensors.index.json"
MOST_FILES = 1000
MOST_DIMENSIONS = 16
_LENGTH_BYTES = 8
_METADATA = "__metadata__"
#: Bits of one element.
_BITS = {
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8,
    "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64,
}  # fmt: skip


def check_weights(folder: Path) -> tuple[OwnFile, ...]:
    """Return the safetensors of a folder, each looked at.

    Args:
        folder: resolved.

    Raises the refusal where there are none, one is missing, is no file of the folder's own, or is
    damaged.
    """
    index = there(folder, INDEX)
    if index is None:
        names = safetensors_of(path.name for path in folder.glob("*.safetensors"))
    else:
        names = _indexed(index)
    if not names:
        raise incomplete("The folder has no safetensors.")
    if len(names) > MOST_FILES:
        raise damaged("The folder has more safetensors than any model.")
    files = tuple(own_file(folder, name) for name in names)
    for file in files:
        check_safetensors(file)
    return files


def _indexed(index: OwnFile) -> list[str]:
    """Return the files that an index names."""
    weights = read_json(index).get("weight_map")
    names = set(weights.values()) if isinstance(weights, dict) and _texts(weights) else set()
    if not names:
        raise damaged(f"{index.name} names no file.")
    for name in names:
        if not name.endswith(".safetensors"):
            raise unsafe(f"{index.name} names a file of another kind: {shown(name)}")
    return sorted(names)


def _texts(mapping: dict[str, Any]) -> bool:
    return all(isinstance(one, str) for one in mapping.values())


def check_safetensors(file: OwnFile) -> None:
    """Raise the refusal where a file's header is beyond every bound, or does not fit the file:
    every byte after it belongs to one tensor."""
    text = _header(file)
    try:
        header = loads(text, MOST_VALUES)
        places = sorted(_places(header))
    except BadNumber as error:
        raise _bad(file, str(error)) from error
    except ValueError as error:
        raise _bad(file, "its header is no JSON, or holds more than one can") from error
    end = 0
    for begin, stop in places:
        if begin != end:
            raise _bad(file, "its tensors overlap, or leave room between them")
        end = stop
    length = file.size_bytes - _LENGTH_BYTES - len(text)
    if end != length:
        raise _bad(file, f"its tensors take {end} bytes, and it has {length} for them")


def _header(file: OwnFile) -> bytes:
    with file.open() as stream:
        length = int.from_bytes(stream.read(_LENGTH_BYTES), "little")
        if length > min(MOST_BYTES, file.size_bytes - _LENGTH_BYTES):
            raise _bad(file, "its header is longer than the file, or than one can be")
        return stream.read(length)


def _places(header: object) -> Iterator[tuple[int, int]]:
    """Yield where each tensor begins and ends."""
    if not isinstance(header, dict):
        raise BadNumber("its header holds no object")
    for name, said in header.items():
        if name == _METADATA:
            continue
        kind, shape, place = (
            (said.get("dtype"), said.get("shape"), said.get("data_offsets"))
            if isinstance(said, dict)
            else (None, None, None)
        )
        if not isinstance(kind, str) or kind not in _BITS:
            raise BadNumber("a tensor is of no known type")
        if not isinstance(shape, list) or len(shape) > MOST_DIMENSIONS:
            raise BadNumber("a tensor has too many dimensions, or none are said")
        if not isinstance(place, list) or len(place) != 2:
            raise BadNumber("a tensor lies at no place of its file")
        begin, end = (bounded(one, "data_offsets", 0, MAX_BYTES) for one in place)
        count = prod(bounded(size, "shape", 0, MAX_BYTES) for size in shape)
        if (end - begin) * 8 != count * _BITS[kind]:
            raise BadNumber("a tensor does not have the bytes of its shape")
        yield begin, end


def _bad(file: OwnFile, what: str) -> VenomError:
    return damaged(f"{shown(file.name)} is no safetensors file, or is cut short: {what}.")
