"""A chat template that a person put in place of the models' own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from venom_core.sdk.errors import Conflict, VenomError
from venom_core.sdk.folder_catalogue import FoundFolder
from venom_core.sdk.model_files import own_file

FOLDER = "templates"
_MOST_BYTES = 1_000_000


def with_template(
    found: Mapping[str, FoundFolder], data_dir: Path, name: str
) -> dict[str, FoundFolder]:
    """Return the folders with the template for those that write text. Blocks.

    Args:
        name: of a plain file in the folder ``templates`` of ``data_dir``.

    Raises ``Conflict`` (``setting_invalid``) where it is none, or no text.
    """
    text = _text(data_dir / FOLDER, name)
    return {
        ref: one
        if one.folder.kind != "language"
        else replace(one, folder=replace(one.folder, chat_template=text))
        for ref, one in found.items()
    }


def _text(folder: Path, name: str) -> str:
    try:
        return own_file(folder.resolve(), name).read(_MOST_BYTES).decode("utf-8")
    except (VenomError, OSError, ValueError) as error:
        raise Conflict(
            "What VENOM_VLLM__CHAT_TEMPLATE names is no text file in the folder templates of"
            " vLLM's data.",
            code="setting_invalid",
            fix="Put the file there: providers/vllm/templates in Venom's data directory.",
        ) from error
