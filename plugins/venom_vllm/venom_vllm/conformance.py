"""The trial of this provider, for ``venom plugins check vllm`` by whoever has the engine."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

from venom_core.sdk.errors import EngineMissing
from venom_core.sdk.provider import Provider
from venom_core.testing import Ask, Subject, Upstream, trial
from venom_core.testing.onnx import ANSWERS
from venom_core.testing.safetensors import write_bert, write_llama
from venom_core.testing.surroundings import outside_python
from venom_vllm.plugin import CARD_ENVIRONMENT, CPU_ENVIRONMENT
from venom_vllm.provider import VllmProvider

DECODER, ENCODER = "tiny-decoder", "tiny-encoder"
_RUNNING = "vllm:num_requests_running"


class _Upstream(Upstream):
    """The engine's own figures tell whether it works."""

    async def serving(self, provider: Provider) -> int:
        if not any(model.ref == DECODER for model in await provider.ps()):
            return 0
        async with cast(VllmProvider, provider).lease(DECODER) as endpoint:
            address = f"{endpoint.base_url}/metrics"
            request = urllib.request.Request(address, headers=dict(endpoint.headers))
            return await asyncio.to_thread(_running, request)

    async def hold(self) -> None:
        """Do nothing: the long answer has no end."""


def _running(request: urllib.request.Request) -> int:
    with urllib.request.urlopen(request, timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return sum(round(float(line.split()[-1])) for line in lines if line.startswith(_RUNNING))


@trial("venom_vllm.plugin", engine="real vLLM, with tiny models")
async def real(folder: Path) -> AsyncIterator[Subject]:
    """Run the engine on models that are made for it here, in the environment of whoever runs
    this."""
    pythons = (outside_python("vllm", one) for one in (CARD_ENVIRONMENT, CPU_ENVIRONMENT))
    python = next((one for one in pythons if one is not None), None)
    if python is None:
        raise EngineMissing(
            "vLLM is not installed.", fix="venom engines install vllm, or with --cpu"
        )
    await asyncio.to_thread(_write_models, folder / "places")
    long = [{"role": "user", "content": "Write a long story about the sea!"}]
    short = [{"role": "user", "content": "What is the capital of Poland?"}]
    yield Subject(
        settings={
            "python": str(python),
            "model_paths": (str(folder / "places"),),
            "hub_cache": str(folder / "cache"),
            "context_length": 4096,
            "kv_cache_gb": 1,
            "max_loaded": 2,
        },
        chat=Ask(DECODER, {"messages": long, "temperature": 0}),
        complete=Ask(DECODER, {"prompt": "The capital of Poland?", "temperature": 0}),
        embed=Ask(ENCODER, {"input": ("A cat sleeps.", "The engine of an airplane roars!")}),
        too_long=Ask(DECODER, {"messages": [{"role": "user", "content": "word " * 6000}]}),
        stop=Ask(DECODER, {"messages": short, "stop": ["capital"], "temperature": 0}),
        upstream=_Upstream(),
        seconds=600,
    )


def _write_models(place: Path) -> None:
    write_llama(place / DECODER, ANSWERS, context=4096)
    width = 8
    vectors = [
        [((token * 37 + at * 11) % 23) - 11.0 for at in range(width)] for token in range(258)
    ]
    write_bert(place / ENCODER, vectors)
