"""The ledger through the API, which holds no prompt anywhere."""

from __future__ import annotations

import csv
import io
import logging
import time
from pathlib import Path

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.accounting.ledger import day_of
from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.frames import Usage, delta
from venom_core.store.ledger import Line, Tally
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer, say
from venom_core.testing.staging import client_of

MARKER = "xyzzy-marker-7361"


def asking(model: str | None = "m", **more: object) -> dict[str, object]:
    body = {"messages": [{"role": "user", "content": MARKER}], **more}
    return body if model is None else {"model": model, **body}


@pytest.fixture(autouse=True)
def models() -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    scripted.SCRIPTS["stream"] = Script(say("a", "b", "c", usage=Usage(7, 3)))
    scripted.SCRIPTS["bad"] = Script([UpstreamError("It broke.")])
    scripted.SCRIPTS["half"] = Script([delta("a"), delta("b"), UpstreamError("It broke.")])


async def totals(client: httpx.AsyncClient, **params: object) -> dict[str, object]:
    response = await client.get("/api/v1/usage/summary", params=params)  # type: ignore[arg-type]
    assert response.status_code == 200, response.text
    return response.json()["totals"]  # type: ignore[no-any-return]


async def test_each_end_has_its_place(client: httpx.AsyncClient) -> None:
    for body in (
        asking("m"),
        asking("stream", stream=True),
        asking("bad"),
        asking("half", stream=True),
        asking("nobody-has-this"),
        asking("m", nonsense=1),
    ):
        await client.post("/v1/chat/completions", json=body)
    await client.post("/v1/embeddings", json={"model": "m", "input": "abcd"})
    found = (await client.get("/api/v1/usage/summary")).json()
    whole = found["totals"]
    assert whole["requests"] == 5
    assert whole["refused"] == 2
    assert whole["failed"] == 2
    assert whole["errors"] == {
        "model_not_found": 1, "unsupported_parameter": 1, "upstream_error": 2,
    }  # fmt: skip
    assert whole["prompt_tokens"] == 3 + 7 + 4
    assert whole["completion_tokens"] == 2 + 3
    assert whole["estimated_tokens"] == 2
    assert whole["without_usage"] == 2
    assert next(group["name"] for group in found["groups"]) == "scripted://m"
    assert {group["name"] for group in found["groups"]} == {
        "scripted://m", "scripted://stream", "scripted://bad", "scripted://half", "://",
    }  # fmt: skip


async def test_a_body_that_is_none_and_a_wrong_key_are_not_counted(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, record = venom.store.keys().create("laptop")
    async with client_of(venom, headers={"x-api-key": key}) as client:
        await client.post("/v1/chat/completions", content=b"{")
        await client.post("/v1/chat/completions", json=asking(), headers={"x-api-key": "wrong"})
        assert (await totals(client))["refused"] == 0
        await client.post("/v1/chat/completions", json=asking())
        assert (await totals(client, key=record.id))["requests"] == 1
        assert (await totals(client, key=""))["requests"] == 0
        assert (await totals(client, model="m"))["requests"] == 1
        assert (await totals(client, provider="scripted", model="n"))["requests"] == 0


async def test_a_series_has_every_day(client: httpx.AsyncClient) -> None:
    await client.post("/v1/chat/completions", json=asking())
    found = (await client.get("/api/v1/usage/series", params={"days": 7})).json()
    assert found["count"] == len(found["points"]) == 7
    assert [point["requests"] for point in found["points"]] == [0, 0, 0, 0, 0, 0, 1]
    assert found["points"][0]["time_to_first_token_ms"] is None


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"limit": 0}, 422), ({"limit": 201}, 422), ({"limit": 200}, 200), ({"limit": 1}, 200),
        ({"days": 0}, 422), ({"days": 3661}, 422), ({"days": "x"}, 422), ({"by": "prompt"}, 422),
        ({"since": "2026-02-30"}, 422), ({"since": "2026-11-02", "until": "2026-11-01"}, 400),
        ({"since": "1900-01-01"}, 400), ({"key": "a'b"}, 422), ({"key": "x" * 17}, 422),
        ({"until": "0001-01-01", "days": 30}, 400),
    ],
)  # fmt: skip
async def test_bounds(client: httpx.AsyncClient, params: dict[str, str | int], status: int) -> None:
    response = await client.get("/api/v1/usage/summary", params=params)
    assert response.status_code == status, response.text


async def test_looking_makes_no_store(make_venom: MakeVenom, tmp_path: Path) -> None:
    async with client_of(make_venom()) as client:
        for path in ("summary", "series", "export.csv"):
            assert (await client.get(f"/api/v1/usage/{path}")).status_code == 200
    assert not (tmp_path / "home" / "venom.db").exists()


async def test_csv_is_whole_and_no_spreadsheet_computes_it(make_venom: MakeVenom) -> None:
    venom = make_venom()
    today = day_of(time.time())
    strange = ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "\rx", " =1", 'a"b,c', "plain"]
    venom.store.usage().add(
        {Line(today, "", "p", name): Tally(requests=1, errors={"=cmd": 1}) for name in strange}
    )
    venom.store.usage().add({Line(today, "", "q", f"m{n}"): Tally(requests=1) for n in range(1200)})
    async with client_of(venom) as client:
        response = await client.get("/api/v1/usage/export.csv")
    assert response.headers["content-type"].startswith("text/csv")
    assert "attachment" in response.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(response.text, newline="")))
    assert len(rows) == 1209
    assert {row["model"].removeprefix("'") for row in rows[:9]} == set(strange)
    for row in rows:
        for cell in row.values():
            assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r")), row


async def test_a_key_is_erased(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, record = venom.store.keys().create("laptop")
    async with client_of(venom, headers={"x-api-key": key}) as client:
        await client.post("/v1/chat/completions", json=asking())
        assert (await totals(client))["requests"] == 1
        done = await client.delete("/api/v1/usage", params={"key": record.id})
        assert done.json()["lines"] == 1
        assert (await totals(client))["requests"] == 0


async def test_a_prompt_is_nowhere(
    make_venom: MakeVenom, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    scripted.SCRIPTS["m"] = Script(answer(MARKER))
    scripted.SCRIPTS["stream"] = Script(say(MARKER, MARKER))
    scripted.SCRIPTS["crash"] = Script([RuntimeError("of the provider's own")])
    async with client_of(make_venom(VENOM_LOG_LEVEL="debug")) as client:
        for body in (
            asking("m"),
            asking("stream", stream=True),
            asking("bad"),
            asking("half", stream=True),
            asking("crash"),
            asking("crash", stream=True),
            asking("m", nonsense=1),
            asking("m", temperature="hot"),
            asking(MARKER),
            asking(None, tools=[{"type": "function", "function": {"name": "f"}}]),
        ):
            await client.post("/v1/chat/completions", json=body)
        for name in ("m", "crash"):
            await client.post("/v1/completions", json={"prompt": MARKER, "model": name})
        await client.post("/v1/embeddings", json={"model": "m", "input": [MARKER]})
        counted = await client.get("/api/v1/usage/export.csv")
        assert counted.text.count("scripted") >= 5
        seen = [
            counted.text,
            (await client.get("/metrics")).text,
            (await client.get("/api/v1/usage/summary")).text,
        ]
    assert MARKER not in "".join(seen)
    assert MARKER not in caplog.text
    files = [file for file in (tmp_path / "home").rglob("*") if file.is_file()]
    assert any(file.name == "venom.db" for file in files)
    for file in files:
        assert MARKER.encode() not in file.read_bytes(), file
