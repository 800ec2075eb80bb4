"""The folder that an engine opens: our own, with links to the files that were looked at.

Nothing that a stranger wrote decides which files are in it. onnxruntime 1.31 follows a link to a
model and takes the folder where the model really lies for its own: data beside it there is found,
and data anywhere else refused. A snapshot of the Hugging Face cache, with model and data among the
blobs, so needs no copy.
"""

from __future__ import annotations

import json
from pathlib import Path

from venom_core.sdk.disk import Place, disk_errors, write_file
from venom_core.sdk.model_folder import TOKENIZER
from venom_core.sdk.model_json import check_tokenizer
from venom_core.sdk.model_links import link_files
from venom_onnx import genai_config
from venom_onnx.folder import OnnxFolder
from venom_onnx.refusals import wrong_provider

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
    link_files(folder.files, own, PLACE)
    if folder.kind == "genai":
        config = json.dumps(launch_config(folder, provider))
        with disk_errors(PLACE):
            write_file(own / genai_config.NAME, config.encode())
    return own


def launch_config(folder: OnnxFolder, provider: str) -> dict[str, object]:
    """Return the ``genai_config.json`` of a launch: what was taken over, and the execution provider
    from the settings without any options."""
    model = folder.config["model"]
    options: list[object] = [] if provider == "cpu" else [{provider: {}}]
    session = {"log_id": "venom", "provider_options": options}
    decoder = {**model["decoder"], "filename": folder.model, "session_options": session}
    return {**folder.config, "model": {**model, "decoder": decoder}}
