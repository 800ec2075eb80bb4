"""The trial of this provider, for ``venom plugins check onnx`` and for the tests."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

from venom_core.sdk.provider import Provider
from venom_core.testing import Ask, Subject, Upstream, trial
from venom_core.testing.onnx import write_decoder, write_encoder
from venom_onnx.provider import OnnxProvider, engine_missing, engine_version

DECODER, ENCODER = "tiny-decoder", "tiny-encoder"
#: By the last character of what is asked.
ANSWERS = {
    "?": [" Poland's", " capital", " is", " Warsaw."],
    "!": ["The", " sea", " żółw", " swims", " wide", " and", ""],
}


class _Upstream(Upstream):
    """The engine's own figures tell whether it works."""

    async def serving(self, provider: Provider) -> int:
        if not any(model.ref == DECODER for model in await provider.ps()):
            return 0
        async with cast(OnnxProvider, provider).lease(DECODER) as endpoint:
            request = urllib.request.Request(
                f"{endpoint.base_url}/health", headers=dict(endpoint.headers)
            )
            return await asyncio.to_thread(_running, request)

    async def hold(self) -> None:
        """Do nothing: the long answer has no end."""


def _running(request: urllib.request.Request) -> int:
    with urllib.request.urlopen(request, timeout=10) as answer:
        return int(json.load(answer)["running"])


@trial("venom_onnx.plugin", engine="real onnxruntime-genai, with tiny models")
async def real(folder: Path) -> AsyncIterator[Subject]:
    """Run the engine on models that are made for it here."""
    if engine_version() is None:
        raise engine_missing()
    await asyncio.to_thread(_write_models, folder / "models/onnx")
    long = [{"role": "user", "content": "Write a long story about the sea!"}]
    short = [{"role": "user", "content": "What is the capital of Poland?"}]
    yield Subject(
        settings={"context_length": 4096, "hub_cache": str(folder / "cache")},
        chat=Ask(DECODER, {"messages": long, "temperature": 0}),
        complete=Ask(DECODER, {"prompt": "The capital of Poland?", "temperature": 0}),
        embed=Ask(ENCODER, {"input": ("A cat sleeps.", "The engine of an airplane roars!")}),
        too_long=Ask(DECODER, {"messages": [{"role": "user", "content": "word " * 6000}]}),
        stop=Ask(DECODER, {"messages": short, "stop": ["capital"], "temperature": 0}),
        remove=DECODER,
        models_dir=folder / "models",
        upstream=_Upstream(),
        seconds=90,
    )


def _write_models(store: Path) -> None:
    write_decoder(store / DECODER, ANSWERS, context=4096)
    width = 8
    vectors = [
        [((token * 37 + at * 11) % 23) - 11.0 for at in range(width)] for token in range(258)
    ]
    write_encoder(store / ENCODER, vectors)
