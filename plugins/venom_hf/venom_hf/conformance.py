"""The trial of this provider, for ``venom plugins check hf`` and for the tests."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from venom_core.sdk.spec import Capability
from venom_core.testing import Ask, Subject, trial
from venom_core.testing.deadlines import patience
from venom_core.testing.hub import TOKEN, FakeHub
from venom_core.testing.onnx import ANSWERS, TOOLS_TEMPLATE, VECTORS
from venom_core.testing.safetensors import write_bert, write_llama
from venom_core.testing.served import MUST_CALL, ServedUpstream
from venom_core.testing.surroundings import outside_python
from venom_hf.plugin import ENVIRONMENT
from venom_hf.runtime import engine_missing

_REPO = "org/tiny"
DECODER, ENCODER = "tiny-decoder", "tiny-encoder"
#: What the two trials examine: the source, and the runtime.
SOURCE = (
    Capability.SEARCH, Capability.TRENDING, Capability.NEWS, Capability.CARD, Capability.DESCRIBE,
    Capability.PULL, Capability.REMOVE,
)  # fmt: skip
RUNTIME = (
    Capability.CHAT, Capability.COMPLETE, Capability.EMBED, Capability.DESCRIBE, Capability.LOAD,
    Capability.UNLOAD, Capability.PS, Capability.ENGINES,
)  # fmt: skip


def _tensors(size: int = 2000) -> bytes:
    """Return a safetensors file of one tensor, of ``size`` bytes of numbers."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(place % 251 for place in range(size))


_FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Blog</title>
<item><title>Old</title><link>https://huggingface.co/blog/old</link>
<pubDate>Wed, 01 Oct 2026 00:00:00 GMT</pubDate></item>
<item><title>New</title><link>https://huggingface.co/blog/new</link>
<description><![CDATA[<p>Some words.</p>]]></description>
<pubDate>Tue, 03 Nov 2026 10:30:00 +0200</pubDate></item>
</channel></rss>"""


def _paper(name: str, day: str) -> dict[str, Any]:
    published = f"{day}T00:00:00.000Z"
    paper = {"id": name, "title": "A paper", "summary": "Words.", "authors": [],
             "publishedAt": published}  # fmt: skip
    return {"paper": paper, "title": "A paper", "publishedAt": published}


@trial(
    "venom_hf.plugin",
    engine="fake Hugging Face Hub, through the real huggingface_hub",
    part=SOURCE,
)
async def hub(folder: Path) -> AsyncIterator[Subject]:
    """Fetch through the library itself from a Hub on this machine."""
    with FakeHub() as fake:
        files = {"config.json": b'{"a": 1}', "tokenizer.json": b"{}"}
        for name in (_REPO, "org/tiny-two"):
            fake.add(name, {**files, "model.safetensors": _tensors()}, downloads=3)
        fake.feed = _FEED
        fake.papers = [_paper("2611.1", "2026-11-02"), _paper("2611.2", "2026-11-03")]
        yield Subject(
            settings={
                "cache_dir": str(folder / "cache"),
                "endpoint": fake.url,
                "timeout": patience(10.0),
                "token": TOKEN,
            },
            pull=_REPO,
            query="tiny",
            card=_REPO,
            unknown="org/no-such-model",
            unreachable={"endpoint": "http://127.0.0.1:9"},
        )


@trial("venom_hf.plugin", engine="real transformers, with tiny models", part=RUNTIME)
async def real(folder: Path) -> AsyncIterator[Subject]:
    """Run models that are made for it here, in the environment of whoever runs this."""
    python = outside_python("hf", ENVIRONMENT)
    if python is None:
        raise engine_missing()
    places = folder / "folders"
    await asyncio.to_thread(
        write_llama, places / DECODER, ANSWERS, context=4096, template=TOOLS_TEMPLATE
    )
    await asyncio.to_thread(write_bert, places / ENCODER, VECTORS)
    long = [{"role": "user", "content": "Write a long story about the sea!"}]
    short = [{"role": "user", "content": "What is the capital of Poland?"}]
    yield Subject(
        settings={
            "context_length": 4096, "cache_dir": str(folder / "cache"), "python": str(python),
            "model_paths": (str(places),), "offline": True, "threads": 1,
        },
        chat=Ask(DECODER, {"messages": long, "temperature": 0}),
        complete=Ask(DECODER, {"prompt": "The capital of Poland?", "temperature": 0}),
        embed=Ask(ENCODER, {"input": ("A cat sleeps.", "The engine of an airplane roars!")}),
        too_long=Ask(DECODER, {"messages": [{"role": "user", "content": "word " * 6000}]}),
        stop=Ask(DECODER, {"messages": short, "stop": ["capital"], "temperature": 0}),
        tools=Ask(DECODER, {"messages": short, "temperature": 0, **MUST_CALL}),
        upstream=ServedUpstream(DECODER),
        seconds=120,
    )  # fmt: skip
