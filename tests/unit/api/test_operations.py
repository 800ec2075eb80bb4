"""Installs and removals as operations: states, joining, stopping, restarts, the feed."""

from __future__ import annotations

import asyncio
import json
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tests.served import client_served
from tests.unit.api.conftest import MakeVenom
from venom_core.api.app import create_app
from venom_core.models import operations as module
from venom_core.sdk.disk import SPARE_BYTES
from venom_core.sdk.errors import NoDiskSpace
from venom_core.sdk.provider import Model, PullPlan, PullProgress
from venom_core.store.database import open_database
from venom_core.store.operations import KEPT, Operation, OperationRepository
from venom_core.testing import scripted
from venom_core.testing.deadlines import patience
from venom_core.testing.scripted import Pause, Script, say
from venom_core.testing.staging import client_of

DONE = PullProgress("completed", "m is ready", 100, 100)
OPERATIONS = "/api/v1/models/operations"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step is stored, so that no test waits for the next quarter of a second."""
    monkeypatch.setattr(module, "SAVE_SECONDS", 0.0)


def pulling(done: int, total: int | None = 100) -> PullProgress:
    return PullProgress("pulling", "Fetching m", done, total)


async def install(client: httpx.AsyncClient, name: str = "scripted://m") -> str:
    response = await client.post("/api/v1/models/install", json={"name": name})
    assert response.status_code == 200, response.text
    return str(response.json()["operation_id"])


async def operation(client: httpx.AsyncClient, number: str) -> dict[str, Any]:
    return dict((await client.get(f"{OPERATIONS}/{number}")).json()["operation"])


async def seen(
    client: httpx.AsyncClient, number: str, is_so: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """The operation, once it is so."""
    async with asyncio.timeout(patience(10)):
        while not is_so(found := await operation(client, number)):  # noqa: ASYNC110 -- polling
            await asyncio.sleep(0.01)
    return found


async def until(client: httpx.AsyncClient, number: str, *statuses: str) -> dict[str, Any]:
    return await seen(client, number, lambda found: found["status"] in statuses)


async def change(client: httpx.AsyncClient, number: str, verb: str) -> httpx.Response:
    return await client.post(f"{OPERATIONS}/{number}/{verb}")


async def test_an_install_from_its_answer_to_its_end(client: httpx.AsyncClient) -> None:
    scripted.PULLS["m"] = [pulling(40), DONE]
    response = await client.post("/api/v1/models/install", json={"name": "scripted://m"})
    body = response.json()
    assert (body["success"], body["model_name"]) == (True, "scripted://m")
    assert uuid.UUID(body["operation_id"]).version == 4
    ended = await until(client, body["operation_id"], "completed")
    assert ended["completed_at"].endswith("Z") and ended["started_at"] <= ended["completed_at"]
    assert (ended["progress"], ended["bytes_done"], ended["bytes_total"]) == (100, 100, 100)
    assert (ended["operation_type"], ended["provider"], ended["error"]) == (
        "install", "scripted", None,
    )  # fmt: skip
    listed = (await client.get(OPERATIONS)).json()
    assert (listed["count"], listed["operations"]) == (1, [ended])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("?limit=0", 422), ("?limit=201", 422), ("?limit=x", 422), ("?limit=200", 200),
        ("/none-of-ours", 404), ("/none-of-ours/pause", 404), ("/none-of-ours/fly", 405),
    ],
)  # fmt: skip
async def test_what_is_asked_wrongly(client: httpx.AsyncClient, path: str, status: int) -> None:
    method = "POST" if path.endswith(("pause", "fly")) else "GET"
    response = await client.request(method, OPERATIONS + path)
    assert response.status_code == status
    if status == 404:
        assert response.json()["code"] == "operation_not_found"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": ""}, 422, None),
        ({"name": "a" * 501}, 422, None),
        ({"name": "m", "path": "/etc/passwd"}, 422, None),
        ({"name": "../../etc/passwd"}, 400, "invalid_model_name"),
        ({"name": "nobody://m"}, 404, "provider_not_found"),
    ],
)
async def test_a_bad_name_begins_nothing(
    client: httpx.AsyncClient, body: dict[str, Any], status: int, code: str | None
) -> None:
    response = await client.post("/api/v1/models/install", json=body)
    assert response.status_code == status
    assert code is None or response.json()["code"] == code
    assert (await client.get(OPERATIONS)).json()["count"] == 0


async def test_progress_never_falls_where_a_total_grows(client: httpx.AsyncClient) -> None:
    steps = [pulling(50, 100), pulling(60, 1000), pulling(20, 1000), pulling(70, None)]
    scripted.PULLS["m"] = [*steps, Pause(forever=True)]
    number = await install(client)
    shown: list[tuple[int, int]] = []

    def is_far(now: dict[str, Any]) -> bool:
        shown.append((now["progress"], now["bytes_done"]))
        return int(now["bytes_done"]) == 70

    assert (await seen(client, number, is_far))["bytes_total"] == 1000
    assert shown == sorted(shown) and shown[-1] == (50, 70)


async def test_a_failure_says_what_to_do_and_can_be_tried_again(client: httpx.AsyncClient) -> None:
    full = NoDiskSpace("The disk became full.", fix="Free some space.")
    scripted.PULLS["m"] = [pulling(40), full]
    number = await install(client)
    failed = await until(client, number, "failed")
    assert (failed["error"], failed["code"], failed["fix"], failed["error_status"]) == (
        "The disk became full.", "disk_full", "Free some space.", 400,
    )  # fmt: skip
    assert failed["completed_at"] is not None
    scripted.PULLS["m"] = [DONE]
    resumed = (await change(client, number, "resume")).json()["operation"]
    assert (resumed["error"], resumed["completed_at"], resumed["progress"]) == (None, None, 40)
    await until(client, number, "completed")


async def test_what_a_provider_breaks_is_no_secret_and_no_stack_trace(
    client: httpx.AsyncClient,
) -> None:
    scripted.PULLS["m"] = [RuntimeError("/home/me/secret")]
    failed = await until(client, await install(client), "failed")
    assert "secret" not in json.dumps(failed)
    assert failed["code"] == "upstream_error"


async def test_the_same_install_is_joined(client: httpx.AsyncClient) -> None:
    scripted.PULLS["m"] = [pulling(1), Pause(forever=True)]
    scripted.PULLS["other"] = [DONE]
    numbers = await asyncio.gather(*(install(client) for _ in range(5)))
    assert len(set(numbers)) == 1
    assert await install(client, "scripted://other") != numbers[0]
    await seen(client, numbers[0], lambda found: found["bytes_done"] == 1)
    assert scripted.SEEN.calls.count("pull m") == 1


async def test_pause_keeps_resume_goes_on_cancel_forgets(client: httpx.AsyncClient) -> None:
    scripted.PULLS["m"] = [pulling(30), Pause(forever=True)]
    number = await install(client)
    await seen(client, number, lambda found: found["bytes_done"] == 30)
    for _ in range(2):  # twice is no error
        paused = (await change(client, number, "pause")).json()["operation"]
        assert (paused["status"], paused["bytes_done"], paused["completed_at"]) == (
            "paused", 30, None,
        )  # fmt: skip
    assert (scripted.SEEN.closed, scripted.SEEN.calls.count("forget m")) == (1, 0)
    assert await install(client) == number, "asking for it again goes on with it"
    await until(client, number, "in_progress")
    cancelled = (await change(client, number, "cancel")).json()["operation"]
    assert cancelled["status"] == "cancelled" and cancelled["completed_at"] is not None
    assert scripted.SEEN.calls.count("forget m") == 1
    for verb in ("pause", "resume", "cancel"):
        refused = await change(client, number, verb)
        assert (refused.status_code, refused.json()["code"]) == (409, "operation_ended")


async def test_two_at_a_time_of_one_provider(client: httpx.AsyncClient) -> None:
    names = [f"m{place}" for place in range(4)]
    for name in names:
        scripted.PULLS[name] = [pulling(1), Pause(forever=True)]
    numbers = [await install(client, f"scripted://{name}") for name in names]
    for number in numbers[:2]:
        await until(client, number, "in_progress")
    assert [(await operation(client, number))["status"] for number in numbers[2:]] == [
        "pending", "pending",
    ]  # fmt: skip
    await change(client, numbers[0], "cancel")
    await until(client, numbers[2], "in_progress")


async def test_a_disk_without_room_is_found_before_anything_begins(
    client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    plan = PullPlan("m", 2 * 10**9, 10**9 + SPARE_BYTES, folder=tmp_path / "not" / "yet")
    scripted.PLANS["m"], scripted.PULLS["m"] = plan, [DONE]
    number = await install(client)
    await until(client, number, "completed")
    usage.free -= 1
    response = await client.post("/api/v1/models/install", json={"name": "scripted://m"})
    assert (response.status_code, response.json()["code"]) == (400, "disk_full")
    assert (await client.get(OPERATIONS)).json()["count"] == 1


async def test_the_limit_over_all_models_is_kept(make_venom: MakeVenom) -> None:
    scripted.SCRIPTS["there"] = Script(say("x"), Model("there", "gguf", size_bytes=600_000_000))
    scripted.PULLS["m"] = [DONE]
    async with client_of(make_venom(VENOM_DISK_LIMIT_GB="1")) as client:
        for size, status in ((400_000_001, 400), (400_000_000, 200)):
            scripted.PLANS["m"] = PullPlan("m", size)
            response = await client.post("/api/v1/models/install", json={"name": "scripted://m"})
            assert response.status_code == status, response.text
            assert status == 200 or response.json()["code"] == "disk_limit"


async def test_removing_is_an_operation_too(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script(say("x"))
    response = await client.delete("/api/v1/models/registry/scripted://m")
    ended = await until(client, response.json()["operation_id"], "completed")
    assert (ended["operation_type"], ended["model_name"]) == ("remove", "scripted://m")
    assert "m" not in scripted.SCRIPTS
    again = await client.delete("/api/v1/models/registry/scripted://m")
    assert (again.status_code, again.json()["code"]) == (404, "model_not_found")


async def test_a_named_source_and_a_runtime_that_cannot_serve_it(client: httpx.AsyncClient) -> None:
    scripted.PULLS["m"] = [DONE]
    path = "/api/v1/models/registry/install"
    for body, status in (
        ({"name": "m", "provider": "scripted"}, 200),
        ({"name": "m", "provider": "scripted", "runtime": "scripted"}, 200),
        ({"name": "m", "provider": "scripted", "runtime": "none"}, 422),
        ({"name": "m"}, 422),
        ({"name": "m", "provider": "none"}, 404),
    ):
        assert (await client.post(path, json=body)).status_code == status, body


async def test_what_a_process_leaves_open_the_next_one_ends(make_venom: MakeVenom) -> None:
    steps = [pulling(40), Pause(forever=True)]
    scripted.PULLS.update({"ended": [DONE], "paused": steps, "m": steps})
    numbers = {}
    async with client_of(make_venom()) as client:
        for name in scripted.PULLS:
            numbers[name] = await install(client, f"scripted://{name}")
        await until(client, numbers["ended"], "completed")
        await change(client, numbers["paused"], "pause")
        await seen(client, numbers["m"], lambda found: found["bytes_done"] == 40)
    scripted.PULLS.update({"m": [pulling(10), DONE]})
    async with client_of(make_venom()) as client:
        ended = await until(client, numbers["m"], "completed")
        assert ended["progress"] == 100
        assert (await operation(client, numbers["paused"]))["status"] == "paused"
    assert scripted.SEEN.calls.count("pull ended") == 1


async def test_a_removal_that_got_as_far_as_the_end_is_one(make_venom: MakeVenom) -> None:
    """The last process deleted the model and was killed before it could note it."""
    venom = make_venom()
    store = OperationRepository(await asyncio.to_thread(lambda: venom.store.engine))
    cut = Operation("1", "remove", "in_progress", "scripted", "gone", "gone", "", "2026-11-22")
    await asyncio.to_thread(store.save, cut)
    async with client_of(venom) as client:
        assert (await until(client, "1", "completed", "failed"))["status"] == "completed"


async def test_nothing_is_shown_before_it_is_stored(make_venom: MakeVenom) -> None:
    venom = make_venom()
    scripted.PULLS["m"] = [*(pulling(count) for count in range(30)), DONE]
    stored: list[int] = []
    async with client_of(venom) as client:
        store = OperationRepository(await asyncio.to_thread(lambda: venom.store.engine))
        number = await install(client)
        while (shown := await operation(client, number))["status"] != "completed":
            found = await asyncio.to_thread(store.get, number)
            assert found is not None
            assert found.bytes_done >= shown["bytes_done"]
            stored.append(found.bytes_done)
    assert stored


async def test_the_feed_tells_what_polling_shows(make_venom: MakeVenom) -> None:
    scripted.PULLS["m"] = [pulling(40), DONE]
    async with client_served(create_app(make_venom())) as client:
        async with client.stream("GET", "/api/v1/events?topics=operations,models") as feed:
            lines = feed.aiter_lines()
            assert await anext(lines) == ": watching"
            number = await install(client)
            told: list[tuple[str, dict[str, Any]]] = []
            async with asyncio.timeout(patience(10)):
                topic = ""
                async for line in lines:
                    if line.startswith("event: "):
                        topic = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        told.append((topic, json.loads(line.removeprefix("data: "))))
                        if told[-1][1].get("status") == "completed":
                            break
        states = [data["status"] for topic, data in told if topic == "operations"]
        assert states[0] == "pending" and states[-1] == "completed"
        assert [data["event"] for topic, data in told if topic == "models"] == ["model.pulled"]
        assert told[-1][1] == await operation(client, number)


async def test_an_unknown_topic_is_named(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/events?topics=operations,weather")
    assert (response.status_code, response.json()["code"]) == (400, "unknown_topic")
    assert "weather" in response.json()["detail"]


def test_the_oldest_ended_are_forgotten_and_no_open_one(tmp_path: Path) -> None:
    store = OperationRepository(open_database(tmp_path / "venom.db"))
    for count in range(KEPT + 20):
        status: Any = "paused" if count == 0 else "completed"
        store.save(Operation(f"{count}", "install", status, "p", "m", "m", "", f"2026-{count:06}"))
    store.prune()
    left = {item.id for item in store.list(KEPT * 2)}
    assert len(left) == KEPT + 1
    assert "0" in left and "1" not in left and str(KEPT + 19) in left
