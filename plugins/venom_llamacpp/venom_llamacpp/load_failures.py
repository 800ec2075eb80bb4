"""llama.cpp's words on a model that it could not load, as refusals. Seen in xllamacpp 2026.10."""

from __future__ import annotations

import re
from collections.abc import Sequence

from venom_core.sdk.engine_failures import out_of_memory
from venom_core.sdk.errors import (
    Conflict,
    ModelNotCapable,
    StorageError,
    Unavailable,
    VenomError,
)
from venom_llamacpp.engine import NO_GRAPHICS

_ARCHITECTURE = re.compile(r"unknown model architecture: '([\w.-]{1,40})'")
_MEMORY = re.compile(
    r"failed to allocate|unable to allocate|cannot allocate|out of memory|bad_alloc|failed to mmap"
    r"|failed to create context|failed to initialize the context",
    re.IGNORECASE,
)
_CUT = re.compile(r"not within the file bounds|corrupted or incomplete|unexpectedly reached end")
_ERROR = re.compile(r"error loading model: (?:error loading model )?(.{1,300})")
_ADAPTER = re.compile(r"llama_adapter_lora_init.*|failed to load lora adapter.*")
_PATH = re.compile(r"(?:[A-Za-z]:)?[/\\]\S+")


def other_vocabulary(ref: str) -> Conflict:
    """Return the refusal of a model whose draft model cannot write for it."""
    return Conflict(
        f"The model that is to write ahead for {ref} has another vocabulary.",
        code="setting_invalid",
        fix="Correct VENOM_LLAMACPP__DRAFT_MODELS: name a smaller model of the same family.",
    )


def parts_missing(ref: str, names: Sequence[str]) -> StorageError:
    """Return the refusal of a model whose file is in several parts, some of which are not there."""
    return StorageError(
        f"The model {ref} is in several files; {len(names)} of them are missing, first {names[0]}.",
        code="model_damaged",
        fix="Copy or fetch them to where the first one lies.",
    )


def load_failure(ref: str, removable: bool, lines: Sequence[str]) -> VenomError | None:
    """Return why a model was not loaded; None where the lines do not tell.

    Args:
        removable: it was fetched by us, and can be again.
        lines: the last of the engine's log.
    """
    text = "\n".join(lines)
    again = (
        f"Fetch it again: venom rm {ref}, then venom pull {ref}"
        if removable
        else "Copy or fetch its file again; it is not one of ours."
    )
    if NO_GRAPHICS in text:
        return Unavailable(
            "The installed engine can use no graphics card.",
            code="no_graphics_card",
            fix="Set VENOM_LLAMACPP__GPU_LAYERS to -1 or 0.",
        )
    if found := _ADAPTER.search(text):
        why = "is not there" if "failed to open" in found[0] else "is none that fits it"
        return Conflict(
            f"An adapter of {ref} {why}.",
            code="setting_invalid",
            fix="Correct VENOM_LLAMACPP__LORA_ADAPTERS; the engine's own words are in: venom logs",
        )
    if found := _ARCHITECTURE.search(text):
        return ModelNotCapable(
            f"This engine does not know the architecture {found[1]} of {ref}.",
            fix="Choose another model (venom list), or a newer engine: venom plugins install "
            "llamacpp",
            param="model",
        )
    if _CUT.search(text):
        return StorageError(
            f"The file of {ref} is cut short or damaged.", code="model_damaged", fix=again
        )
    if _MEMORY.search(text):
        return out_of_memory(ref, "VENOM_LLAMACPP__CONTEXT_LENGTH", text)
    if found := _ERROR.search(text):
        words = _PATH.sub("(its file)", found[1]).strip().rstrip(".")
        return StorageError(
            f"The engine cannot load the file of {ref}: {words}.", code="model_damaged", fix=again
        )
    return None
