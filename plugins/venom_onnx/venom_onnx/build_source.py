"""The files of a Hugging Face folder that a build may open, each looked at first.

Whatever else lies in the folder (pickled weights, code, files that nobody asked for) is not among
them, and the builder sees these alone. Blocks; callers run it in threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from venom_core.sdk.errors import InvalidRequest, VenomError
from venom_onnx.containment import OwnFile, there
from venom_onnx.folder import TOKENIZER, chat_template
from venom_onnx.json_files import check_tokenizer, json_of
from venom_onnx.safetensors_file import INDEX, check_weights

CONFIG, TOKENIZER_CONFIG = "config.json", "tokenizer_config.json"
#: Small files of JSON that a build reads where they are there.
_OPTIONAL = (
    "generation_config.json", TOKENIZER_CONFIG, "special_tokens_map.json", "added_tokens.json",
    INDEX,
)  # fmt: skip
_TEMPLATE = "chat_template.jinja"


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
    for name in (CONFIG, TOKENIZER_CONFIG):
        if "auto_map" in json_of(folder, name):
            raise InvalidRequest(
                "The model brings code of its own, which is never run.",
                code="unsafe_model",
                fix="Choose a model whose architecture transformers knows.",
            )
    tokenizer = there(folder, TOKENIZER)
    if tokenizer is None:
        raise _no_source(f"It has no {TOKENIZER}.")
    check_tokenizer(tokenizer)
    chat_template(folder)
    for name in _OPTIONAL:
        json_of(folder, name)
    weights = check_weights(folder)
    named = (there(folder, name) for name in (CONFIG, TOKENIZER, *_OPTIONAL, _TEMPLATE))
    files = (*(file for file in named if file is not None), *weights)
    return BuildSource(files, sum(file.size_bytes for file in weights))


def _no_source(why: str) -> VenomError:
    return InvalidRequest(
        f"The model is no Hugging Face folder from which ONNX can be built. {why}",
        code="not_buildable",
        param="model_name",
        fix="Fetch a model of the type folder: venom search gemma --format safetensors",
    )
