"""Reading named server-sent events."""

from __future__ import annotations

import json
from typing import Any

import httpx

Event = tuple[str, dict[str, Any]]

TERMINAL = ("done", "error")


def events_of(text: str) -> list[Event]:
    """Every event; comments are left out."""
    found = []
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if lines:
            name, data = lines
            assert name.startswith("event: ") and data.startswith("data: "), block
            found.append((name[7:], json.loads(data[6:])))
    return found


async def asked(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> list[Event]:
    """The events of a question; their one terminal event is the last."""
    response = await client.post(path, json=body)
    assert response.status_code == 200, response.text
    found = events_of(response.text)
    assert [name for name, _ in found if name in TERMINAL] == [found[-1][0]]
    assert found[0][0] == "start"
    return found


def text_of(events: list[Event], name: str = "content") -> str:
    return "".join(data["text"] for kind, data in events if kind == name)
