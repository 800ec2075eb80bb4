"""A folder with a model as transformers writes them: safetensors, configuration, tokenizer.

It is looked at before an engine opens it: its JSON files and the headers of its weights, nothing
larger, so the server's process does that, without any of the libraries. Everything here blocks;
callers run it in threads.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from venom_core.sdk.architecture import Architecture, BadNumber
from venom_core.sdk.architecture_config import from_config_json
from venom_core.sdk.chat_template import template_text
from venom_core.sdk.errors import VenomError
from venom_core.sdk.model_files import OwnFile, there
from venom_core.sdk.model_json import MOST_TOKENIZER_BYTES, check_tokenizer, json_of
from venom_core.sdk.model_refusals import damaged, incomplete, not_served, shown
from venom_core.sdk.safetensors import INDEX, check_weights
from venom_core.sdk.sentence_transformers import (
    MODULES,
    POOLING_FILE,
    Pooling,
    embed_length,
    normalizes,
    pooling_of,
)
from venom_core.sdk.states import Reason

#: A model that writes text, or one that embeds it.
ModelKind = Literal["language", "embedding"]
#: The description of a model by transformers.
CONFIG = "config.json"
#: A tokenizer as the library ``tokenizers`` reads it.
TOKENIZER = "tokenizer.json"
TOKENIZER_CONFIG, GENERATION_CONFIG = "tokenizer_config.json", "generation_config.json"
#: What is opened beside configuration, tokenizer and weights, where it is there.
OPTIONAL = (
    TOKENIZER_CONFIG, GENERATION_CONFIG, "special_tokens_map.json", "added_tokens.json", INDEX,
)  # fmt: skip
TEMPLATE = "chat_template.jinja"
_OF_EMBEDDINGS = (MODULES, "sentence_bert_config.json", POOLING_FILE)
_LANGUAGE = ("ForCausalLM", "LMHeadModel")
#: Reads text and pictures; its configuration has that of a language model inside.
_WITH_TEXT = "ForConditionalGeneration"
_MOST_ENTRIES = 2000


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model's folder. Where ``reason`` is set, it is listed and not run.

    Args:
        path: resolved.
        kind: None where it is neither, or it could not be told.
        architecture_class: the class of transformers that its configuration names.
        files: every file that an engine may open, and no other.
        weights_bytes: of its safetensors together.
        context_length: in tokens, as the model's own files say.
        architecture: the numbers that the memory is estimated from.
        chat_template: its text; None where the model brings none.
        generation: what is in its ``generation_config.json``.
        pooling, normalize: as its own files have the vectors of a model that embeds.
        own_code: its configuration names code of its own, which is never run.
        reason: why it is not run.
    """

    path: Path
    kind: ModelKind | None = None
    architecture_class: str | None = None
    files: tuple[OwnFile, ...] = ()
    weights_bytes: int = 0
    context_length: int | None = None
    architecture: Architecture | None = None
    chat_template: str | None = None
    generation: Mapping[str, Any] = field(default_factory=dict)
    pooling: Pooling | None = None
    normalize: bool = False
    own_code: bool = False
    reason: Reason | None = None

    @property
    def size_bytes(self) -> int:
        """Return the bytes of its files together."""
        return sum(file.size_bytes for file in self.files)

    def check_files(self) -> None:
        """Raise the refusal where a file is no longer the one that was looked at, or its tokenizer
        is beyond every bound. Reads the tokenizer: done before a launch, not for a listing."""
        for file in self.files:
            file.check()
            if file.name == TOKENIZER:
                check_tokenizer(file)


def holds_weights(path: Path) -> bool:
    """Return whether a folder is worth looking at: safetensors beside a configuration."""
    names = _names(path)
    return CONFIG in names and any(name.endswith(".safetensors") for name in names)


def read_model_folder(path: Path) -> ModelFolder:
    """Look at a folder. Raises nothing for what lies in it: the reason says what is wrong, and what
    could be told before is there."""
    known: dict[str, Any] = {"path": path}
    reason = None
    try:
        for part in _look(path.resolve()):
            known |= part
    except VenomError as error:
        reason = Reason.of(error)
    except (OSError, RuntimeError):  # a circle of links is the latter before Python 3.13
        reason = Reason.of(damaged("The folder cannot be read."))
    return ModelFolder(**known, reason=reason)


def _look(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield what a folder tells, step by step. Raises the refusal where it goes no further."""
    yield {"path": folder}
    config = json_of(folder, CONFIG)
    name = _class_of(config)
    yield {"architecture_class": name, "kind": (kind := _kind(folder, config, name))}
    yield {"own_code": brings_code(folder)}
    weights = check_weights(folder)
    size = sum(file.size_bytes for file in weights)
    yield {"files": weights, "weights_bytes": size}
    yield {"files": (*small_files(folder, kind), *weights)}
    with contextlib.suppress(BadNumber):
        described = from_config_json(config, weights_bytes=size or None)
        yield {"architecture": described, "context_length": described.context_length}
    if kind == "embedding":
        yield {"pooling": pooling_of(folder), "normalize": normalizes(folder)}
        try:
            yield {"context_length": embed_length(folder, config)}
        except BadNumber as error:
            raise damaged(f"The model's configuration cannot be used: {error}.") from error
    if kind == "language":
        yield {"chat_template": template_text(folder)}
        yield {"generation": json_of(folder, GENERATION_CONFIG)}
    if kind is None:
        raise not_served(
            f"The model neither writes nor embeds text by its class: {shown(name or 'none')}."
        )


def brings_code(folder: Path) -> bool:
    """Return whether a model's configuration names code of its own."""
    return any("auto_map" in json_of(folder, name) for name in (CONFIG, TOKENIZER_CONFIG))


def small_files(folder: Path, kind: ModelKind | None = None) -> tuple[OwnFile, ...]:
    """Return the files of a folder that are opened beside its weights, each looked at.

    Raises the refusal where one is missing or damaged.
    """
    if (tokenizer := there(folder, TOKENIZER)) is None:
        raise incomplete(f"The folder has no {TOKENIZER}.")
    if tokenizer.size_bytes > MOST_TOKENIZER_BYTES:
        raise damaged(f"{TOKENIZER} is larger than such a file can be.")
    more = _OF_EMBEDDINGS if kind == "embedding" else ()
    for name in OPTIONAL:
        json_of(folder, name)
    named = (there(folder, name) for name in (CONFIG, *OPTIONAL, TEMPLATE, *more))
    return (tokenizer, *(file for file in named if file is not None))


def _class_of(config: Mapping[str, Any]) -> str | None:
    names = config.get("architectures")
    first = names[0] if isinstance(names, list) and names else None
    return first if isinstance(first, str) else None


def _kind(folder: Path, config: Mapping[str, Any], name: str | None) -> ModelKind | None:
    if there(folder, MODULES) is not None:
        return "embedding"
    if name is None:
        return None
    if name.endswith(_LANGUAGE):
        return "language"
    if name.endswith(_WITH_TEXT) and isinstance(config.get("text_config"), dict):
        return "language"
    return "embedding" if name.endswith("Model") else None


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in islice(entries, _MOST_ENTRIES)]
    except OSError:
        return []
