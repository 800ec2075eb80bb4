"""Folders of the cache, and of places that a person names, as models that transformers runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from venom_core.sdk.disk import safe_name
from venom_core.sdk.engine import EngineCommand
from venom_core.sdk.engine_server import load_refusal, server_args, server_environment
from venom_core.sdk.environments import Environment
from venom_core.sdk.errors import EngineMissing, Unavailable, VenomError
from venom_core.sdk.folder_catalogue import FolderCatalogue, FoundFolder, context_of, model_of
from venom_core.sdk.machine import engine_threads
from venom_core.sdk.memory_estimate import needed
from venom_core.sdk.model_folder import ModelKind
from venom_core.sdk.provider import Model, ProviderContext
from venom_core.sdk.states import Reason
from venom_hf.memory import memory_plan, widened
from venom_hf.plugin import ENVIRONMENT

ENGINES: Mapping[ModelKind, str] = {
    "language": "venom_hf.engine:TransformersEngine",
    "embedding": "venom_hf.embedding_engine:EmbeddingEngine",
}
#: Nothing is fetched by an engine, nor are threads of its tokenizer forked.
OFFLINE = {
    "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false",
}  # fmt: skip
_LIBRARY = "transformers"
INSTALL = f"venom engines install {ENVIRONMENT.name}"


class Runtime:
    """Runs folders by the settings, in the environment, as they lie on the disk.

    Args:
        cache: of the Hugging Face library.
    """

    def __init__(self, context: ProviderContext, cache: Path) -> None:
        settings = context.settings
        python = cast("str | None", settings["python"])
        self._named = Path(python).expanduser() if python else None
        self._environment = Environment(ENVIRONMENT, context.data_dir)
        self._catalogue = FolderCatalogue(
            cast("tuple[str, ...]", settings["model_paths"] or ()), cache
        )
        self.context = cast(int, settings["context_length"])
        self.parallel = cast(int, settings["parallel"])
        self._threads = engine_threads(cast(int, settings["threads"]))
        self._device = cast(str, settings["device"])
        self._dtype = cast(str, settings["dtype"])
        self._attention = cast(str, settings["attention"])

    # -- the environment; looking at it blocks -----------------------------------------------

    def python(self) -> Path:
        """Return the interpreter of the engines. Raises ``EngineMissing`` where there is none, and
        ``Unavailable`` where it is not whole."""
        if self._named is not None:
            if self._named.is_file():
                return self._named
            raise EngineMissing(
                "The Python that VENOM_HF__PYTHON names is not there.",
                fix=f"Correct it, or leave it out: {INSTALL}",
            )
        state = self._environment.state()
        if state == "missing":
            raise engine_missing()
        if state != "ready":
            raise Unavailable(
                "What runs Hugging Face folders is not whole, or of another Venom.",
                code="engine_damaged",
                fix=INSTALL,
            )
        return self._environment.python

    def missing(self) -> VenomError | None:
        """Return why nothing can be run; None where it can."""
        try:
            self.python()
        except VenomError as error:
            return error
        return None

    def version(self) -> str | None:
        """Return the version of transformers; None where it is not known."""
        if self._named is not None:
            return _version_of(self._named)
        record = self._environment.record()
        installed = (record or {}).get("installed")
        for line in installed if isinstance(installed, list) else ():
            if isinstance(line, str) and line.startswith(f"{_LIBRARY}=="):
                return line.removeprefix(f"{_LIBRARY}==")
        return None

    # -- models; looking at the disk blocks --------------------------------------------------

    def folders(self) -> dict[str, FoundFolder]:
        """Return every folder by the name under which this provider lists it."""
        return {_name(found): found for found in self._catalogue.all().values()}

    def lists(self, found: FoundFolder, why_not: VenomError | None, held: Model | None) -> Model:
        """Return a folder as a model.

        Args:
            why_not: it cannot be run here, so it is a source's only.
            held: as the cache lists it, where it is of the cache.
        """
        model = replace(model_of(found, self.context), ref=_name(found))
        if held is not None:
            details = {**held.details, **model.details}
            model = replace(model, title=held.title, size_bytes=held.size_bytes, details=details)
        if why_not is not None:
            details = {**model.details, "reason": Reason.of(why_not).record()}
            return replace(
                model, capabilities=frozenset(), details=details, context_length=None, instruct=None
            )
        if model.architecture is None or model.context_length is None:
            return model
        wide = widened(model.architecture, self._device, self._dtype)
        plan = memory_plan(model.context_length, self.parallel, self._device, self._dtype)
        return replace(model, architecture=wide, memory_plan=plan)

    def need(self, model: Model) -> int:
        """Return the bytes that a model is expected to take, beside the engine's own."""
        if model.architecture is None or model.memory_plan is None or model.architecture.unknown:
            return model.size_bytes or 0
        plan = replace(model.memory_plan, overhead_bytes=0)
        return needed(model.architecture, plan, model.context_length or 0).total

    def command(self, model: Model, found: FoundFolder, python: Path, place: Path) -> EngineCommand:
        """Return how the engine of a folder is started.

        Args:
            place: the folder of logs and records.
        """
        name = safe_name(model.ref)
        config: dict[str, Any] = {
            "path": str(found.folder.path),
            "own": str(place / f"{name}.files"),
            "name": model.ref,
            "context_length": context_of(found.folder, self.context),
            "parallel": self.parallel,
            "threads": self._threads,
            "device": self._device,
            "dtype": self._dtype,
            "attention": self._attention,
        }
        return EngineCommand(
            name=f"transformers ({model.ref})",
            args=server_args(ENGINES[found.folder.kind or "language"]),
            model=model.ref,
            log_file=place / f"{name}.log",
            pid_file=place / f"{name}.pid",
            python=str(python),
            env=server_environment(config) | OFFLINE,
            ready_timeout=120.0 + (model.size_bytes or 0) / 20e6,
            explain=load_refusal,
        )


def engine_missing() -> VenomError:
    return EngineMissing("What runs Hugging Face folders is not installed.", fix=INSTALL)


def _name(found: FoundFolder) -> str:
    return found.ref if found.hub is None else str(found.hub)


def _version_of(python: Path) -> str | None:
    """Return the version of transformers beside an interpreter, without starting it."""
    environment = python.parent.parent
    places = [*environment.glob("lib/python*/site-packages"), environment / "Lib" / "site-packages"]
    found = (folder for place in places for folder in place.glob(f"{_LIBRARY}-*.dist-info"))
    return next((folder.stem.partition("-")[2] for folder in found), None)
