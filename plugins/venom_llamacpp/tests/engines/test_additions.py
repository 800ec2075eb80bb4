"""Additions to a model by settings, on the real engine: draft models, adapters, a card."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk.errors import Conflict, ModelNotFound, Unavailable, VenomError
from venom_core.sdk.frames import Answer
from venom_core.sdk.messages import ChatRequest
from venom_core.testing.contexts import opened, provider_context
from venom_core.testing.gguf import gguf_bytes
from venom_llamacpp.plugin import venom_providers
from venom_llamacpp.provider import LlamaCppProvider

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]
MODEL = "smollm2:135m"
WIDTH, RANK = 576, 2


async def answer(models: Path, data: Path, **settings: Any) -> tuple[str, dict[str, Any]]:
    """Return an answer and the engine's own timings, from a provider with these settings."""
    context = provider_context(venom_providers()[0], data, models, settings)
    async with opened(LlamaCppProvider(context)) as provider:
        body = {
            "messages": [{"role": "user", "content": "Count from one to ten."}],
            "temperature": 0,
            "max_tokens": 40,
        }
        request = ChatRequest(MODEL, body, False, "test")
        (frame,) = [frame async for frame in provider.chat(request)]
        assert isinstance(frame.event, Answer)
        return frame.event.choices[0].content or "", frame.body.get("timings", {})


def adapter(value: float) -> bytes:
    """Build a LoRA adapter for the first layer's queries; every number of one half is ``value``."""
    facts = {
        "general.type": "adapter",
        "general.architecture": "llama",
        "adapter.type": "lora",
        "adapter.lora.alpha": struct.pack("<If", 6, float(RANK)),
    }
    table, data = b"", b""
    for name, shape, number in (
        ("lora_a", (WIDTH, RANK), 1.0), ("lora_b", (RANK, WIDTH), value)
    ):  # fmt: skip
        full = f"blk.0.attn_q.weight.{name}".encode()
        table += struct.pack("<Q", len(full)) + full
        table += struct.pack("<IQQIQ", 2, *shape, 0, len(data))
        data += struct.pack("<f", number) * (shape[0] * shape[1])
    head = gguf_bytes(facts, tensors=2) + table
    return head + b"\0" * (-len(head) % 32) + data


async def test_a_model_that_writes_ahead_changes_no_answer(
    real_models: Path, tmp_path: Path
) -> None:
    plain, _ = await answer(real_models, tmp_path)
    text, timings = await answer(real_models, tmp_path, draft_models=(f"{MODEL} = {MODEL}",))
    assert text == plain
    assert timings["draft_n"] > 0 and timings["draft_n_accepted"] > 0


async def test_an_adapter_is_put_on_the_model(real_models: Path, tmp_path: Path) -> None:
    plain, _ = await answer(real_models, tmp_path)
    for name, value in (("none.gguf", 0.0), ("some.gguf", 3.0)):
        (tmp_path / name).write_bytes(adapter(value))
        text, _ = await answer(real_models, tmp_path, lora_adapters=(f"{MODEL}={tmp_path / name}",))
        assert (text == plain) is (value == 0.0)


@pytest.mark.parametrize(
    ("settings", "kind", "words"),
    [
        ({"gpu_layers": 4}, Unavailable, "no graphics card"),
        ({"draft_models": (f"{MODEL}=nobody",)}, ModelNotFound, "is to write ahead"),
        ({"draft_models": (f"{MODEL}=gemma3-270m-base",)}, Conflict, "another vocabulary"),
        ({"draft_models": ("gemma3-270m-base",)}, Conflict, "not MODEL=MODEL"),
        ({"lora_adapters": (f"{MODEL}=/no/where.gguf",)}, Conflict, "is not there"),
        ({"lora_adapters": ("=/no/where.gguf",)}, Conflict, "not MODEL=FILE"),
    ],
    ids=lambda value: json.dumps(value)[:30] if isinstance(value, dict) else None,
)
async def test_a_setting_that_cannot_be_followed_says_so(
    real_models: Path, tmp_path: Path, settings: Any, kind: type[VenomError], words: str
) -> None:
    with pytest.raises(kind) as raised:
        await answer(real_models, tmp_path, **settings)
    assert words in raised.value.message and raised.value.fix
    assert "/no/where" not in raised.value.message


async def test_an_adapter_for_another_model_touches_nobody(
    real_models: Path, tmp_path: Path
) -> None:
    text, _ = await answer(real_models, tmp_path, lora_adapters=("other=/no/where.gguf",))
    assert text
