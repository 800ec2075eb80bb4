"""The trial of this provider, for ``venom plugins check onnx`` and for the tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from venom_core.testing import Ask, Subject, trial
from venom_core.testing.onnx import ANSWERS, TOOLS_TEMPLATE, VECTORS, write_decoder, write_encoder
from venom_core.testing.served import MUST_CALL, ServedUpstream
from venom_onnx.provider import engine_missing, engine_version

DECODER, ENCODER = "tiny-decoder", "tiny-encoder"


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
        tools=Ask(DECODER, {"messages": short, "temperature": 0, **MUST_CALL}),
        remove=DECODER,
        models_dir=folder / "models",
        upstream=ServedUpstream(DECODER),
        seconds=90,
    )


def _write_models(store: Path) -> None:
    write_decoder(store / DECODER, ANSWERS, context=4096, template=TOOLS_TEMPLATE)
    write_encoder(store / ENCODER, VECTORS)
