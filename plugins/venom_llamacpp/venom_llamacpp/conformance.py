"""The trial of this provider, for ``venom plugins check llamacpp`` and for the tests."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import psutil

from venom_core.sdk.errors import EngineMissing, ModelNotFound
from venom_core.sdk.provider import EngineStatus, Provider
from venom_core.testing import Ask, Subject, Upstream, trial
from venom_core.testing.conformance.openai_upstream import TOOL
from venom_core.testing.surroundings import outside_models
from venom_llamacpp.provider import engine_version
from venom_llamacpp.store import ModelStore

MODEL = "smollm2:135m"
_STORY = [{"role": "user", "content": "Write a long story about the sea."}]
_CAPITAL = [{"role": "user", "content": "What is the capital of Poland?"}]
_MUST_CALL = {"tools": [TOOL], "tool_choice": "required", "temperature": 0, "max_tokens": 400}


class _Upstream(Upstream):
    """The engine's processor time tells whether it works."""

    async def serving(self, provider: Provider) -> int:
        engines = [one for one in await provider.engines() if one.model == MODEL and one.pid]
        before = _seconds(engines)
        await asyncio.sleep(0.5)
        return int(_seconds(engines) - before > 0.1)

    async def hold(self) -> None:
        """Do nothing: a long story takes this engine long enough."""


def _seconds(engines: Sequence[EngineStatus]) -> float:
    """Return the processor time of these engines so far."""
    return sum(
        sum(child.cpu_times()[:2])
        for one in engines
        for child in psutil.Process(one.pid).children(recursive=True)
    )


@trial("venom_llamacpp.plugin", engine=f"real llama.cpp, with {MODEL}")
async def real(folder: Path) -> AsyncIterator[Subject]:
    """Run the engine on a real model: that of whoever asks, whose files are not touched."""
    await asyncio.to_thread(_take_model, outside_models() / "llamacpp", folder / "models/llamacpp")
    yield Subject(
        chat=Ask(MODEL, {"messages": _STORY, "seed": 1}),
        complete=Ask(MODEL, {"prompt": "The capital of Poland is", "seed": 1}),
        embed=Ask(MODEL, {"input": ("A cat sleeps.", "The engine of an airplane roars!")}),
        too_long=Ask(MODEL, {"messages": [{"role": "user", "content": "word " * 6000}]}),
        stop=Ask(MODEL, {"messages": _CAPITAL, "stop": ["Poland"], "seed": 1}),
        # It was never taught to call one: the call comes of the schema that it is held to.
        tools=Ask(MODEL, {"messages": _CAPITAL, **_MUST_CALL}),
        remove=MODEL,
        models_dir=folder / "models",
        upstream=_Upstream(),
        seconds=90,
    )


def _take_model(store: Path, own: Path) -> None:
    """Put the model into a folder of its own: removing it there removes it nowhere else.

    Raises:
        EngineMissing, ModelNotFound: with how to get what is missing.
    """
    if engine_version() is None:
        raise EngineMissing(
            "The embedded engine is not installed.", fix="venom plugins install llamacpp"
        )
    file = ModelStore(store).gguf(MODEL)
    if not file.exists():
        raise ModelNotFound(f"The model {MODEL} is not fetched.", fix=f"venom pull {MODEL}")
    own.mkdir(parents=True)
    for one in (file, file.with_suffix(".json")):
        try:
            os.link(one, own / one.name)
        except OSError:  # another disk
            shutil.copyfile(one, own / one.name)
