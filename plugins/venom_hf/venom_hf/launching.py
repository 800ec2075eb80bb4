"""The launch of an engine over transformers, in its own process: versions, device, numbers and the
folder that it opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from venom_core.sdk.disk import Place
from venom_core.sdk.engine_failures import check_tried
from venom_core.sdk.errors import Unavailable, VenomError
from venom_core.sdk.model_folder import ModelFolder, read_model_folder
from venom_core.sdk.model_links import link_files

PLACE = Place("Venom's folder of transformers' engines", "VENOM_HOME")
#: The versions that were tried; a later one may compute the same calls otherwise, or not at all.
TRIED = {"torch": "2.13", "transformers": "5.23"}
#: The setting with which a model takes less memory.
LESS_MEMORY = "VENOM_HF__CONTEXT_LENGTH"


def check_versions(torch: str, transformers: str) -> None:
    """Raise the refusal where a library is not of the version that was tried."""
    for name, found in (("torch", torch), ("transformers", transformers)):
        check_tried(name, found, TRIED[name], "venom engines install hf")


def launch_folder(path: Path, own: Path) -> tuple[ModelFolder, Path]:
    """Look at a model's folder once more and make ``own`` anew with links to its files.

    Raises the folder's own reason, and ``VenomError`` where a file is no longer the one that was
    looked at, or ``own`` cannot be written.
    """
    folder = read_model_folder(path)
    if folder.reason is not None:
        raise folder.reason.error()
    folder.check_files()
    link_files(folder.files, own, PLACE)
    return folder, own


def device_of(torch: Any, wanted: str) -> str:
    """Return what computes: as set, else a card where torch finds one, else the processor.

    Raises ``Unavailable`` where torch has not what is set.
    """
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if wanted == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if there[name])
    if not there[wanted]:
        raise _no_device(wanted)
    return wanted


def _no_device(name: str) -> VenomError:
    return Unavailable(
        f"The installed torch finds no {name} here.",
        code="no_graphics_card",
        fix="Set VENOM_HF__DEVICE=cpu, or install a build of torch for the card.",
    )


def dtype_of(torch: Any, wanted: str, device: str) -> Any:
    """Return the numbers to compute in. ``auto``: the file's own on a card; 32 bits on a processor,
    where a prompt in 16 bits was computed five times as slowly."""
    if wanted == "auto":
        return torch.float32 if device == "cpu" else "auto"
    return getattr(torch, wanted)
