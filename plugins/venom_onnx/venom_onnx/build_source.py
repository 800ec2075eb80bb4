"""The files of a Hugging Face folder that a build may open, each looked at first.

Whatever else lies in the folder (pickled weights, code, files that nobody asked for) is not among
them, and the builder sees these alone. Blocks; callers run it in threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from venom_core.sdk.chat_template import template_text
from venom_core.sdk.errors import InvalidRequest, VenomError
from venom_core.sdk.model_files import OwnFile, there
from venom_core.sdk.model_folder import CONFIG, TOKENIZER, brings_code, small_files
from venom_core.sdk.model_json import check_tokenizer, json_of
from venom_core.sdk.safetensors import check_weights


@dataclass(frozen=True, slots=True)
class BuildSource:
    """A folder that was looked at. ``files`` are all that a build opens."""

    files: tuple[OwnFile, ...]
    weights_bytes: int


def check_source(folder: Path) -> BuildSource:
    """Look at a folder. Raises the refusal where a file is missing or damaged, or the model brings
    code."""
    try:
        folder = folder.resolve()
    except (OSError, RuntimeError) as error:  # a circle of links is the latter before Python 3.13
        raise _no_source("Its folder cannot be read.") from error
    config = json_of(folder, CONFIG)
    if not config.get("architectures"):
        raise _no_source("It has no config.json that names an architecture.")
    if brings_code(folder):
        raise InvalidRequest(
            "The model brings code of its own, which is never run.",
            code="unsafe_model",
            fix="Choose a model whose architecture transformers knows.",
        )
    tokenizer = there(folder, TOKENIZER)
    if tokenizer is None:
        raise _no_source(f"It has no {TOKENIZER}.")
    check_tokenizer(tokenizer)
    template_text(folder)
    weights = check_weights(folder)
    size = sum(file.size_bytes for file in weights)
    return BuildSource((*small_files(folder), *weights), size)


def _no_source(why: str) -> VenomError:
    return InvalidRequest(
        f"The model is no Hugging Face folder from which ONNX can be built. {why}",
        code="not_buildable",
        param="model_name",
        fix="Fetch a model of the type folder: venom search gemma --format safetensors",
    )
