"""The trial of this provider, for ``venom plugins check hf`` and for the tests."""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from venom_core.testing import Subject, trial
from venom_core.testing.deadlines import patience
from venom_core.testing.hub import TOKEN, FakeHub

_REPO = "org/tiny"


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


@trial("venom_hf.plugin", engine="fake Hugging Face Hub, through the real huggingface_hub")
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
