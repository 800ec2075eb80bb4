"""Large bodies: the twelve largest of one kind each, and those that are still taken.

Each is ``(path, bytes, whether a key goes with it)``, made at its first use.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.servers.hostile import PLAIN

#: What a server reads of a body by default.
LARGEST = 16 * 2**20 - 4096
CHAT, COMPLETION, EMBED = "/v1/chat/completions", "/v1/completions", "/v1/embeddings"
IMPORT = "/api/v1/sessions/import"
MODEL = f'"model":"remote://{PLAIN}"'
TURN = '"messages":[{"role":"user","content":"hi"}]'


@dataclass(frozen=True)
class Sent:
    """A request with a body; ``keyed``: the key goes with it."""

    path: str
    make: Callable[[], bytes]
    keyed: bool = True

    @functools.cached_property
    def body(self) -> bytes:
        return self.make()


def _series(before: str, item: str, after: str, size: int = LARGEST) -> Callable[[], bytes]:
    """``before``, as many of ``item`` with commas between as go into ``size`` bytes, ``after``."""

    def made() -> bytes:
        count = (size - len(before) - len(after)) // (len(item) + 1)
        return (before + ",".join([item] * count) + after).encode()

    return made


def _numbered(before: str, item: str, after: str) -> Callable[[], bytes]:
    """The same with a number in each item, where names must differ."""

    def made() -> bytes:
        count = LARGEST // (len(item) + 7)
        return (before + ",".join(item % number for number in range(count)) + after).encode()

    return made


def _nested() -> bytes:
    depth = LARGEST // 12
    schema = '{"items":' * depth + "{}" + "}" * depth
    before = f'{{{MODEL},{TURN},"response_format":{{"type":"json_schema","json_schema":'
    return f'{before}{{"name":"a","schema":{schema}}}}}}}'.encode()


def _one_text() -> bytes:
    text = "a " * (LARGEST // 2 - 99)
    return f'{{{MODEL},"messages":[{{"role":"user","content":"{text}"}}]}}'.encode()


CHAT_BEGIN = f"{{{MODEL},{TURN},"
MESSAGES = f'{{{MODEL},"messages":['
TWELVE: dict[str, Sent] = {
    "2 MB of parts that are numbers": Sent(
        CHAT, _series(f'{MESSAGES}{{"role":"user","content":[', "1", "]}]}", 2_000_000)
    ),
    "import without a key": Sent(IMPORT, _series('{"messages":[', "[]", "]}"), keyed=False),
    "import": Sent(IMPORT, _series('{"messages":[', "[]", "]}")),
    "messages": Sent(CHAT, _series(MESSAGES, '{"role":"user","content":"a"}', "]}")),
    "parts": Sent(
        CHAT,
        _series(f'{MESSAGES}{{"role":"user","content":[', '{"type":"text","text":"a"}', "]}]}"),
    ),
    "inputs": Sent(EMBED, _series(f'{{{MODEL},"input":[', '"a"', "]}")),
    "tools": Sent(
        CHAT, _series(f'{CHAT_BEGIN}"tools":[', '{"type":"function","function":{"name":"a"}}', "]}")
    ),
    "stops": Sent(CHAT, _series(f'{CHAT_BEGIN}"stop":[', '"a"', "]}")),
    "bias": Sent(CHAT, _numbered(f'{CHAT_BEGIN}"logit_bias":{{', '"%d":1', "}}")),
    "a schema without end": Sent(CHAT, _nested),
    "prompts of tokens": Sent(COMPLETION, _series(f'{{{MODEL},"prompt":[[', "1", "]]}")),
    "metadata": Sent(CHAT, _numbered(f'{CHAT_BEGIN}"metadata":{{', '"name%d":"a"', "}}")),
}  # fmt: skip


def _session() -> bytes:
    """As many messages as a session may have, each as long as fits."""
    text = "word " * 600
    messages = [{"id": str(n), "role": "user", "content": text} for n in range(5000)]
    return json.dumps({"format": "venom-session", "version": 1, "messages": messages}).encode()


def _chat(**fields: Any) -> Callable[[], bytes]:
    body = {"model": f"remote://{PLAIN}", "messages": [{"role": "user", "content": "hi"}]}
    return lambda: json.dumps({**body, **fields}).encode()


def _messages(count: int, parts: int) -> list[dict[str, Any]]:
    content = [{"type": "text", "text": "a"}] * parts
    return [{"role": "user", "content": content}] * count


_FUNCTION = {"name": "a", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}
TAKEN: dict[str, Sent] = {
    "16 MB in one text": Sent(CHAT, _one_text),
    "10,000 messages": Sent(CHAT, _chat(messages=[{"role": "user", "content": "a"}] * 10_000)),
    "30,000 parts": Sent(CHAT, _chat(messages=_messages(30, 1000))),
    "1,024 tools": Sent(CHAT, _chat(tools=[{"type": "function", "function": _FUNCTION}] * 1024)),
    "300,000 tokens": Sent(
        COMPLETION, _series(f'{{{MODEL},"prompt":[', "1", "]}", 600_000)
    ),
    "1 MB of halves of characters": Sent(CHAT, _chat(messages=[
        {"role": "user", "content": "\ud83d \ude00" * 70_000}
    ])),
    "1 MB of escapes": Sent(CHAT, _chat(messages=[{"role": "user", "content": '"\n' * 250_000}])),
    "2,048 inputs and their vectors": Sent(
        EMBED, lambda: json.dumps({"model": f"remote://{PLAIN}", "input": ["a"] * 2048}).encode()
    ),
    "a session of 15 MB": Sent(IMPORT, _session),
}  # fmt: skip
