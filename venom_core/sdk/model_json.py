"""JSON files of a model's folder, bounded in bytes, values and depth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from venom_core.sdk.bounded_json import TooManyValues, check_values, loads
from venom_core.sdk.model_files import OwnFile, there
from venom_core.sdk.model_refusals import damaged, shown

#: Of a configuration; a tokenizer's own, with a template and its special tokens, is the longest.
MOST_BYTES = 8 * 1024 * 1024
MOST_VALUES = 100_000
#: Of a tokenizer: Gemma's has 262,144 tokens and 513,511 merges of two texts, in 33 MB.
MOST_TOKENIZER_BYTES = 128 * 1024 * 1024
MOST_TOKENIZER_VALUES = 8_000_000


def read_json(file: OwnFile) -> dict[str, Any]:
    """Return the object in a configuration file. Raises the refusal where it holds none."""
    text = file.read(MOST_BYTES)
    try:
        found = loads(text, MOST_VALUES)
    except TooManyValues as error:
        raise damaged(f"{shown(file.name)} holds more than such a file can.") from error
    except ValueError as error:  # UnicodeDecodeError is one
        raise damaged(f"{shown(file.name)} is no JSON file, or is cut short.") from error
    if not isinstance(found, dict):
        raise damaged(f"{shown(file.name)} holds no object.")
    return found


def json_of(folder: Path, name: str) -> dict[str, Any]:
    """Return the object in a file of a folder; an empty one where the file is not there."""
    file = there(folder, name)
    return {} if file is None else read_json(file)


def check_tokenizer(file: OwnFile) -> None:
    """Raise the refusal where a tokenizer is beyond every bound; none of its values is made.

    Reads all of it: done before a launch, not for a listing.
    """
    text = file.read(MOST_TOKENIZER_BYTES)
    if not text.lstrip()[:1] == b"{":
        raise damaged(f"{shown(file.name)} holds no object.")
    try:
        check_values(text, MOST_TOKENIZER_VALUES)
    except TooManyValues as error:
        raise damaged(f"{shown(file.name)} holds more than such a file can.") from error
