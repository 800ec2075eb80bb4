"""A folder with an ONNX model, looked at before anything of it is opened.

Looking costs the structure of its ONNX files and its small JSON files, never its weights, and needs
neither a runtime nor numpy: the server's process does it. Everything here blocks; callers run it in
threads.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from venom_core.sdk.architecture import Architecture
from venom_core.sdk.chat_template import template_text
from venom_core.sdk.errors import VenomError
from venom_core.sdk.model_files import OwnFile, own_file, there
from venom_core.sdk.model_folder import TOKENIZER
from venom_core.sdk.model_json import MOST_TOKENIZER_BYTES, read_json
from venom_core.sdk.model_refusals import damaged, incomplete, not_served, shown
from venom_core.sdk.sentence_transformers import POOLING_FILE, Pooling
from venom_core.sdk.states import Reason
from venom_onnx import genai_config
from venom_onnx.embedding_config import MODEL_NAMES, read_embedding
from venom_onnx.onnx_file import OnnxGraph, read_onnx
from venom_onnx.refusals import wrong_provider

Kind = Literal["genai", "embedding"]
#: What a tokenizer is read from, besides its own file.
_BESIDE = (
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja",
)  # fmt: skip
_OF_EMBEDDINGS = (
    "config.json", "modules.json", "sentence_bert_config.json", POOLING_FILE,
)  # fmt: skip
#: Execution providers that the settings can name.
PROVIDERS = ("cpu", "cuda", "dml")
#: Lies in a folder that was built here and says from what.
BUILD_NOTE = "venom_build.json"
#: Files of one folder that are looked at by name; a model's has a dozen.
_MOST_ENTRIES = 2000


@dataclass(frozen=True, slots=True)
class OnnxFolder:
    """A model's folder. Where ``reason`` is set, it is listed and not run.

    Args:
        path: resolved.
        kind: a language model for onnxruntime-genai, or one that embeds; None where it is neither,
            or it could not be told.
        model: the ONNX file, by its name in the folder.
        files: every file that a launch opens, and no other.
        context_length: in tokens, as the model's own files say.
        pooling: how a vector of a text is made of those of its tokens; None where the graph does
            it, or the model does not embed.
        normalize: its own files ask for vectors of length 1.
        inputs, outputs: of the graph, by name.
        architecture: the numbers that the memory is estimated from.
        chat_template: its text; None where the model brings none.
        tokenizer: it has one.
        execution_provider: the one that its graph was built for (``cpu``, ``cuda``, ``dml``...).
        config: what of ``genai_config.json`` a launch writes; empty for one that embeds.
        reason: why it is not run.
    """

    path: Path
    kind: Kind | None = None
    model: str = ""
    files: tuple[OwnFile, ...] = ()
    context_length: int | None = None
    pooling: Pooling | None = None
    normalize: bool = False
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    architecture: Architecture | None = None
    chat_template: str | None = None
    tokenizer: bool = False
    execution_provider: str = "cpu"
    config: Mapping[str, Any] = field(default_factory=dict)
    reason: Reason | None = None

    @property
    def size_bytes(self) -> int:
        """Return the bytes of its files together."""
        return sum(file.size_bytes for file in self.files)


def holds_model(path: Path) -> bool:
    """Return whether a folder is worth looking at: it has a ``genai_config.json``, or an ONNX file
    beside a configuration or a tokenizer."""
    names = _names(path)
    if genai_config.NAME in names:
        return True
    beside = "config.json" in names or TOKENIZER in names
    return beside and any(_is_onnx(name) for name in (*names, *_names(path / "onnx")))


def read_folder(path: Path) -> OnnxFolder:
    """Look at a folder. Raises nothing for what lies in it: the reason says what is wrong, and what
    could be told before is there."""
    look, reason = _Look(), None
    try:
        look.at(path)
    except VenomError as error:
        reason = Reason.of(error)
    except (OSError, RuntimeError):  # a circle of links is the latter before Python 3.13
        reason = Reason.of(damaged("The folder cannot be read."))
    return OnnxFolder(**{"path": path, **look.known}, reason=reason)


class _Look:
    """One look at a folder. ``known`` is what it could tell so far, as ``OnnxFolder`` has it."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}
        self._weights = 0

    def at(self, path: Path) -> None:
        folder = self.known["path"] = path.resolve()
        config = there(folder, genai_config.NAME)
        if config is not None:
            self._language_model(read_json(config))
        else:
            self.known["model"] = _model_name(folder)
        graph = self._graph(folder, self.known["model"])
        self._tokenizer(folder)
        if config is None:
            self._embedding(folder, graph)
        else:
            described = genai_config.architecture(self.known["config"], self._weights)
            self.known |= {"architecture": described, "chat_template": template_text(folder)}

    def _language_model(self, said: Mapping[str, Any]) -> None:
        self.known["kind"] = "genai"
        config = self.known["config"] = genai_config.taken_over(said)
        self.known["context_length"] = config["model"]["context_length"]
        self.known["model"] = genai_config.filename(config)
        provider = self.known["execution_provider"] = genai_config.execution_provider(said)
        if provider not in PROVIDERS:
            raise wrong_provider(provider)

    def _graph(self, folder: Path, name: str) -> OnnxGraph:
        if not _is_onnx(name):
            raise not_served(f"{shown(name)} is no ONNX file by its name.")
        model = own_file(folder, name)
        self._add(model)
        with model.open() as file:
            graph = read_onnx(file, model.size_bytes, name)
        self.known |= {"inputs": graph.inputs, "outputs": graph.outputs}
        for location, end in graph.files.items():
            data = own_file(folder, location, beside=name, single=True)
            if end > data.size_bytes:
                raise damaged(
                    f"{shown(location)} is cut short: it has {data.size_bytes} bytes, and "
                    f"{end} are needed."
                )
            self._add(data)
        self._weights = sum(file.size_bytes for file in self.known["files"])
        return graph

    def _tokenizer(self, folder: Path) -> None:
        tokenizer = there(folder, TOKENIZER)
        if tokenizer is None:
            raise incomplete(f"The folder has no {TOKENIZER}.")
        if tokenizer.size_bytes > MOST_TOKENIZER_BYTES:
            raise damaged(f"{TOKENIZER} is larger than such a file can be.")
        self.known["tokenizer"] = True
        self._add(tokenizer, *(there(folder, name) for name in _BESIDE))

    def _embedding(self, folder: Path, graph: OnnxGraph) -> None:
        found = read_embedding(folder, graph, self._weights)
        self.known |= {
            "kind": "embedding", "pooling": found.pooling, "normalize": found.normalize,
            "context_length": found.context_length, "architecture": found.architecture,
        }  # fmt: skip
        self._add(*(there(folder, name) for name in _OF_EMBEDDINGS))

    def _add(self, *files: OwnFile | None) -> None:
        known = {file.name: file for file in self.known.get("files", ())}
        known |= {file.name: file for file in files if file is not None}
        self.known["files"] = tuple(known.values())


def _model_name(folder: Path) -> str:
    """Return which ONNX file of a folder without ``genai_config.json`` is meant: the one of the
    usual name, else the only one."""
    for name in MODEL_NAMES:
        if there(folder, name) is not None:
            return name
    names = [name for name in _names(folder) if _is_onnx(name)]
    names += [f"onnx/{name}" for name in _names(folder / "onnx") if _is_onnx(name)]
    if not names:
        raise incomplete("The folder has no ONNX file.")
    if len(names) > 1:
        raise not_served("The folder has several ONNX files, and none is called model.onnx.")
    return names[0]


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in islice(entries, _MOST_ENTRIES))
    except OSError:
        return []


def _is_onnx(name: str) -> bool:
    return name.endswith(".onnx")
