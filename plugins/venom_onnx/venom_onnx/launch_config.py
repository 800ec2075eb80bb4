"""The folder that an engine opens: our own, with links to the files that were looked at.

Nothing that a stranger wrote decides which files are in it. onnxruntime 1.31 follows a link to a
model and takes the folder where the model really lies for its own: data beside it there is found,
and data anywhere else refused. A snapshot of the Hugging Face cache, with model and data among the
blobs, so needs no copy.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from venom_core.sdk.disk import Place, discard, disk_errors, write_file
from venom_core.sdk.errors import StorageError
from venom_onnx import genai_config
from venom_onnx.containment import OwnFile
from venom_onnx.folder import TOKENIZER, OnnxFolder
from venom_onnx.json_files import check_tokenizer
from venom_onnx.refusals import wrong_provider

#: Windows lets developers and administrators make links, and nobody else.
_NO_PRIVILEGE = 1314
PLACE = Place("Venom's folder of ONNX engines", "VENOM_HOME")


def launch_folder(folder: OnnxFolder, own: Path, provider: str) -> Path:
    """Make ``own`` anew with links to the files of a model, and for a language model a
    ``genai_config.json``. Return the folder to open: ``own``.

    Args:
        own: a folder of this launch alone; what lies in it is removed first.
        provider: ``cpu``, ``cuda`` or ``dml``, from the settings; never from the model's files.

    Raises the folder's own reason, and ``VenomError`` where a file is no longer the one that was
    looked at, the model was built for another execution provider, or ``own`` cannot be written.
    """
    if folder.reason is not None:
        raise folder.reason.error()
    if folder.execution_provider not in ("cpu", provider):  # a graph for cpu runs everywhere
        raise wrong_provider(folder.execution_provider, provider)
    for file in folder.files:
        file.check()
        if file.name == TOKENIZER:
            check_tokenizer(file)
    link_files(folder.files, own)
    if folder.kind == "genai":
        config = json.dumps(launch_config(folder, provider))
        with disk_errors(PLACE):
            write_file(own / genai_config.NAME, config.encode())
    return own


def link_files(files: Iterable[OwnFile], own: Path) -> None:
    """Make ``own`` anew with links to files that were looked at, and nothing else."""
    with disk_errors(PLACE):
        discard(own)
        own.mkdir(parents=True, mode=0o700)
        for file in files:
            place = own / file.name
            place.parent.mkdir(parents=True, exist_ok=True)
            _link(file.real, place)


def launch_config(folder: OnnxFolder, provider: str) -> dict[str, object]:
    """Return the ``genai_config.json`` of a launch: what was taken over, and the execution provider
    from the settings without any options."""
    model = folder.config["model"]
    options: list[object] = [] if provider == "cpu" else [{provider: {}}]
    session = {"log_id": "venom", "provider_options": options}
    decoder = {**model["decoder"], "filename": folder.model, "session_options": session}
    return {**folder.config, "model": {**model, "decoder": decoder}}


def _link(real: Path, place: Path) -> None:
    try:
        place.symlink_to(real)
    except OSError as error:
        # A hard link would do on the same disk, and make the weights such as are refused.
        if getattr(error, "winerror", None) == _NO_PRIVILEGE:
            raise StorageError(
                "Windows lets Venom make no link to the model's files.",
                fix="Turn on the developer mode of Windows, then try again.",
            ) from error
        raise
