"""Self-tests over HTTP: what is kept, and what is refused and keeps nothing."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from venom_core.sdk.provider import Model
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer

PATH = "/api/v1/models/org/m/selftest"
CHAT = {"group": "answers", "name": "chat", "outcome": "honoured"}
STREAM = {"group": "answers", "name": "stream", "outcome": "broken", "note": "in one piece"}


@pytest.fixture(autouse=True)
def model() -> None:
    known = Model("org/m", "folder", capabilities=frozenset({"chat", "completion"}))
    scripted.SCRIPTS["org/m"] = Script(answer("x"), known)


async def test_the_last_one_is_kept(client: httpx.AsyncClient) -> None:
    first = (await client.post(PATH, json={"rows": [CHAT, STREAM]})).json()
    assert first["success"] and first["reference"] == "scripted://org/m"
    assert first["capability_states"] == {"chat": "verified", "completion": "declared"}
    later = await client.post(PATH, json={"rows": [{**CHAT, "outcome": "broken"}]})
    assert later.json()["capability_states"]["chat"] == "failed"
    shown = (await client.get("/api/v1/models/org/m/details")).json()["model"]
    assert shown["capability_states"] == later.json()["capability_states"]
    assert shown["self_test"] == later.json()["self_test"]


@pytest.mark.parametrize(
    ("rows", "status", "param"),
    [
        ([], 422, "rows"),
        ([CHAT, CHAT], 400, "rows[1]"),
        ([CHAT, {**CHAT, "name": "made up"}], 400, "rows[1]"),
        ([{**CHAT, "group": "tools"}], 400, "rows[0]"),
        ([{**CHAT, "outcome": "perfect"}], 422, "rows[0].outcome"),
        ([{**STREAM, "note": "x" * 1001}], 422, "rows[0].note"),
        ([{**CHAT, "more": 1}], 422, "rows[0].more"),
        ("all", 422, "rows"),
    ],
)
async def test_rows_that_no_self_test_gives(
    client: httpx.AsyncClient, rows: Any, status: int, param: str
) -> None:
    refused = await client.post(PATH, json={"rows": rows})
    told = refused.json()
    assert (refused.status_code, told["param"]) == (status, param)
    shown = (await client.get("/api/v1/models/org/m/details")).json()["model"]
    assert shown["self_test"] is None


async def test_a_model_that_is_not_there(client: httpx.AsyncClient) -> None:
    refused = await client.post("/api/v1/models/none/selftest", json={"rows": [CHAT]})
    assert (refused.status_code, refused.json()["code"]) == (404, "model_not_found")
