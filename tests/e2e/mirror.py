"""A provider whose models say what they were asked: what a page sets is seen in the answer.

``mirror`` sees images, calls tools and can be held to JSON; ``blind`` takes words only, and no
instructions apart from them; ``tiny`` has a context that a short talk fills.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from venom_core.sdk.errors import ContextLengthExceeded
from venom_core.sdk.frames import Chunk, Frame, Usage, delta, finish
from venom_core.sdk.hookspecs import hookimpl
from venom_core.sdk.messages import ChatRequest
from venom_core.sdk.provider import Model, Provider
from venom_core.sdk.spec import Capability, ProviderSpec
from venom_core.sdk.states import Health, ProviderStatus

TINY_CONTEXT = 200
MODELS = (
    Model(
        "mirror", "folder", capabilities=frozenset({"chat", "vision", "tools"}),
        context_length=8192, defaults={"top_p": 0.8},
    ),
    Model(
        "blind", "folder", capabilities=frozenset({"chat"}), context_length=4096,
        allowed_roles=("user", "assistant"),
    ),
    Model("tiny", "folder", capabilities=frozenset({"chat"}), context_length=TINY_CONTEXT),
)  # fmt: skip


@hookimpl
def venom_providers() -> list[ProviderSpec]:
    parameters = {"temperature", "max_tokens", "top_p", "top_k", "seed", "stop"}
    return [
        ProviderSpec(
            name="mirror",
            title="Mirror",
            summary="Says what it was asked.",
            factory="tests.e2e.mirror:MirrorProvider",
            capabilities=frozenset({Capability.CHAT}),
            parameters=frozenset({*parameters, "response_format", "tools", "tool_choice"}),
        )
    ]


def _seen(body: dict[str, Any]) -> dict[str, Any]:
    """Return the request in few words: roles, texts, how many images, what was set."""
    told, images = [], 0
    for message in body["messages"]:
        content = message["content"]
        if not isinstance(content, str):
            images += sum(part["type"] == "image_url" for part in content)
            content = "".join(part.get("text", "") for part in content)
        told.append(f"{message['role']}: {content}")
    names = sorted(set(body) - {"messages", "model", "stream", "stream_options"})
    return {"told": told, "images": images, **{name: body[name] for name in names}}


class MirrorProvider(Provider):
    """Says what it was asked, as JSON."""

    async def health(self) -> Health:
        return Health(ProviderStatus.READY, version="mirror")

    async def models(self) -> Sequence[Model]:
        return MODELS

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        said = json.dumps(_seen(dict(request.body)), ensure_ascii=False)
        tokens = len(json.dumps(request.body["messages"])) // 4
        if request.model == "tiny" and tokens > TINY_CONTEXT:
            raise ContextLengthExceeded(
                f"This takes {tokens} tokens, and the context has {TINY_CONTEXT}.",
                fix="Shorten the conversation.",
            )
        # As code: nothing of it is taken for Markdown.
        yield Frame.of(delta(f"~~~json\n{said}\n~~~", role="assistant"))
        yield Frame.of(finish("stop"))
        yield Frame.of(Chunk(usage=Usage(tokens, len(said) // 4)))
