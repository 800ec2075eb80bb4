"""Builds as operations, over the scripted provider: it builds nothing and plays the steps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.models import operations as module
from venom_core.models.builds import ModelBuilds
from venom_core.sdk.errors import NoDiskSpace, Unavailable
from venom_core.sdk.provider import BuildProgress, BuildRequest, Model, PullPlan, PullProgress
from venom_core.testing import scripted
from venom_core.testing.deadlines import patience
from venom_core.testing.scripted import Pause, Script, ScriptedProvider
from venom_core.testing.staging import client_of

OPERATIONS = "/api/v1/models/operations"
BUILD = "/api/v1/models/script/build"
DONE = BuildProgress("completed", "city is built", 100)
HALF = BuildProgress("building", "Half of it", 50)
REFUSED: dict[str, tuple[str, dict[str, Any], int, str | None]] = {
    "no such format": ("none", {"model_name": "city"}, 404, "builder_not_found"),
    "a format that is a path": ("a%2fb", {"model_name": "city"}, 405, None),
    "no name of a format": ("ONNX!", {"model_name": "city"}, 422, None),
    "precision": ("script", {"model_name": "city", "precision": "int3"}, 400, "unknown_precision"),
    "execution provider": (
        "script", {"model_name": "city", "execution_provider": "tpu"},
        400, "unknown_execution_provider",
    ),
    "a path for a precision": (
        "script", {"model_name": "city", "precision": "../../x"}, 400, "unknown_precision",
    ),
    "not text": ("script", {"model_name": "city", "precision": 8}, 422, None),
    "no model": ("script", {}, 422, None),
    "unknown model": ("script", {"model_name": "town"}, 404, "model_not_found"),
    "a path for a model": ("script", {"model_name": "../../etc"}, 400, "invalid_model_name"),
    "no folder": ("script", {"model_name": "bare"}, 400, "not_buildable"),
    "its folder is gone": ("script", {"model_name": "gone"}, 400, "not_buildable"),
    "somewhere to write to": ("script", {"model_name": "city", "output": "/etc"}, 422, None),
}  # fmt: skip


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "SAVE_SECONDS", 0.0)
    folder = tmp_path / "city"
    folder.mkdir()
    for name, where in (("city", folder), ("bare", None), ("gone", tmp_path / "gone")):
        scripted.SCRIPTS[name] = Script([], Model(name, "folder", location=where))
    return folder


async def begin(client: httpx.AsyncClient, **more: str) -> str:
    response = await client.post(BUILD, json={"model_name": "city", **more})
    assert response.status_code == 200, response.text
    return str(response.json()["operation_id"])


async def seen(
    client: httpx.AsyncClient, number: str, is_so: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """The operation, once it is so."""
    async with asyncio.timeout(patience(10)):
        while True:
            found = (await client.get(f"{OPERATIONS}/{number}")).json()["operation"]
            if is_so(found):
                return dict(found)
            await asyncio.sleep(0.01)


async def until(client: httpx.AsyncClient, number: str, *statuses: str) -> dict[str, Any]:
    return await seen(client, number, lambda found: found["status"] in statuses)


async def change(client: httpx.AsyncClient, number: str, verb: str) -> dict[str, Any]:
    response = await client.post(f"{OPERATIONS}/{number}/{verb}")
    assert response.status_code == 200, response.text
    return dict(response.json()["operation"])


async def test_what_can_be_built_is_listed_and_makes_no_store(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    listed = (await client.get("/api/v1/models/builds")).json()
    form = {
        "format": "script",
        "provider": "scripted",
        "precisions": ["int8", "fp32"],
        "precision": "int8",
        "execution_providers": ["cpu", "cuda"],
    }
    assert listed == {"success": True, "formats": [form], "count": 1}
    assert not await asyncio.to_thread(lambda: list(tmp_path.rglob("venom.db")))
    await client.post("/api/v1/plugins/scripted/disable")
    assert (await client.get("/api/v1/models/builds")).json()["formats"] == []


async def test_a_builder_that_is_not_ready_is_listed_all_the_same(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def preferred(*_: object) -> str:
        raise Unavailable("Its engine is not installed.", code="engine_missing")

    monkeypatch.setattr(ModelBuilds, "_preferred", preferred)
    [form] = (await client.get("/api/v1/models/builds")).json()["formats"]
    assert (form["format"], form["precision"]) == ("script", "int8")


async def test_a_build_from_its_answer_to_its_end(client: httpx.AsyncClient) -> None:
    scripted.BUILDS["scripted://city"] = [HALF, DONE]
    response = await client.post(BUILD, json={"model_name": "city"})
    assert response.json()["message"] == "The build has begun."
    ended = await until(client, response.json()["operation_id"], "completed")
    assert (ended["operation_type"], ended["model_name"], ended["progress"]) == (
        "build", "city", 100,
    )  # fmt: skip
    assert (ended["reference"], ended["message"]) == ("scripted://city-int8-cpu", "city is built")
    assert ended["completed_at"].endswith("Z") and ended["error"] is None


async def test_what_is_built_is_listed_at_once(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def build(_self: object, _request: object) -> AsyncGenerator[BuildProgress, None]:
        yield HALF
        scripted.SCRIPTS["city-int8-cpu"] = Script([])  # after the last question for models
        yield DONE

    monkeypatch.setattr(ScriptedProvider, "build", build)
    # That list is kept for a while: clients ask for it often.
    assert "city-int8-cpu" not in (await client.get("/v1/models")).text
    await until(client, await begin(client), "completed")
    assert "city-int8-cpu" in (await client.get("/v1/models")).text


async def test_what_is_asked_for_reaches_the_provider(
    client: httpx.AsyncClient, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[BuildRequest] = []
    play = ScriptedProvider.build

    def noted(self: ScriptedProvider, request: BuildRequest) -> AsyncGenerator[BuildProgress, None]:
        asked.append(request)
        return play(self, request)

    monkeypatch.setattr(ScriptedProvider, "build", noted)
    scripted.BUILDS["scripted://city"] = [DONE]
    number = await begin(client, precision="fp32", execution_provider="cuda")
    await until(client, number, "completed")
    assert asked == [BuildRequest("scripted://city", models, "script", "fp32", "cuda")]


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_refused_begins_nothing(client: httpx.AsyncClient, case: str) -> None:
    form, body, status, code = REFUSED[case]
    response = await client.post(f"/api/v1/models/{form}/build", json=body)
    assert response.status_code == status, response.text
    assert code is None or (response.json()["code"], bool(response.json()["fix"])) == (code, True)
    assert (await client.get(OPERATIONS)).json()["count"] == 0
    assert not [call for call in scripted.SEEN.calls if call.startswith("build")]


async def test_the_same_build_is_joined_and_another_waits(client: httpx.AsyncClient) -> None:
    scripted.BUILDS["scripted://city"] = [HALF, Pause(forever=True)]
    first = await begin(client)
    await seen(client, first, lambda found: found["progress"] == 50)
    assert await begin(client) == first
    second = await begin(client, precision="fp32")
    assert second != first
    scripted.PULLS["m"] = [PullProgress("completed", "m is ready")]
    pull = await client.post("/api/v1/models/install", json={"name": "scripted://m"})
    await until(client, pull.json()["operation_id"], "completed")  # begun later: it had its turn
    assert (await until(client, second, "pending", "in_progress"))["status"] == "pending"
    assert scripted.SEEN.calls.count("build city-int8-cpu") == 1
    assert "build city-fp32-cpu" not in scripted.SEEN.calls
    await change(client, first, "cancel")
    await seen(client, second, lambda found: found["progress"] == 50)
    await change(client, second, "cancel")


async def test_a_cancelled_build_leaves_nothing(client: httpx.AsyncClient) -> None:
    scripted.BUILDS["scripted://city"] = [HALF, Pause(forever=True)]
    number = await begin(client)
    await seen(client, number, lambda found: found["progress"] == 50)
    assert (await change(client, number, "cancel"))["status"] == "cancelled"
    assert scripted.SEEN.calls[-1] == "forget city-int8-cpu" and scripted.SEEN.closed == 1


async def test_a_build_is_cancelled_whose_source_is_gone(
    client: httpx.AsyncClient, models: Path
) -> None:
    scripted.BUILDS["scripted://city"] = [HALF, Pause(forever=True)]
    number = await begin(client)
    await seen(client, number, lambda found: found["progress"] == 50)
    await change(client, number, "pause")
    await asyncio.to_thread(models.rmdir)
    assert (await change(client, number, "cancel"))["status"] == "cancelled"
    assert scripted.SEEN.calls[-1] == "forget city-int8-cpu"


async def test_a_paused_build_goes_on_and_its_percents_never_fall(
    client: httpx.AsyncClient,
) -> None:
    scripted.BUILDS["scripted://city"] = [HALF, Pause(forever=True)]
    number = await begin(client)
    await seen(client, number, lambda found: found["progress"] == 50)
    assert (await change(client, number, "pause"))["status"] == "paused"
    low = BuildProgress("building", "From the beginning", 10)
    scripted.BUILDS["scripted://city"] = [low, Pause(forever=True)]
    await change(client, number, "resume")
    again = await seen(client, number, lambda found: found["message"] == low.message)
    assert again["progress"] == 50
    await change(client, number, "cancel")


async def test_a_source_that_is_removed_meanwhile_is_said(
    client: httpx.AsyncClient, models: Path
) -> None:
    scripted.BUILDS["scripted://city"] = [HALF, Pause(forever=True)]
    number = await begin(client)
    await seen(client, number, lambda found: found["progress"] == 50)
    await change(client, number, "pause")
    await asyncio.to_thread(models.rmdir)
    await change(client, number, "resume")
    failed = await until(client, number, "failed")
    assert (failed["code"], failed["param"]) == ("not_buildable", "model_name")


async def test_a_build_that_failed_is_begun_again(client: httpx.AsyncClient) -> None:
    full = NoDiskSpace("The disk is full.", fix="Make room.", code="disk_full")
    scripted.BUILDS["scripted://city"] = [HALF, full]
    number = await begin(client)
    failed = await until(client, number, "failed")
    assert (failed["code"], failed["error_status"], failed["fix"]) == (
        "disk_full", 400, "Make room.",
    )  # fmt: skip
    scripted.BUILDS["scripted://city"] = [DONE]
    await change(client, number, "resume")
    assert (await until(client, number, "completed"))["error"] is None


async def test_a_build_that_failed_is_cancelled_and_leaves_nothing(
    client: httpx.AsyncClient,
) -> None:
    scripted.BUILDS["scripted://city"] = [HALF, NoDiskSpace("The disk is full.", fix="Make room.")]
    number = await begin(client)
    await until(client, number, "failed")
    cancelled = await change(client, number, "cancel")
    assert (cancelled["status"], cancelled["error"]) == ("cancelled", None)
    assert scripted.SEEN.calls[-1] == "forget city-int8-cpu"
    again = await client.post(f"{OPERATIONS}/{number}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "operation_ended")


@pytest.mark.parametrize("verb", ["cancel", "resume"])
async def test_what_failed_is_left_alone_while_the_same_is_built(
    client: httpx.AsyncClient, verb: str
) -> None:
    scripted.BUILDS["scripted://city"] = [HALF, NoDiskSpace("The disk is full.", fix="Make room.")]
    failed = await begin(client)
    await until(client, failed, "failed")
    scripted.BUILDS["scripted://city"] = [HALF, Pause(forever=True)]
    number = await begin(client)
    await seen(client, number, lambda found: found["progress"] == 50)
    answer = await client.post(f"{OPERATIONS}/{failed}/{verb}")
    assert (answer.status_code, answer.json()["code"]) == (409, "operation_ended")
    assert "forget city-int8-cpu" not in scripted.SEEN.calls
    assert (await until(client, number, "in_progress"))["progress"] == 50
    await change(client, number, "cancel")


async def test_a_build_without_an_end_is_incomplete(client: httpx.AsyncClient) -> None:
    scripted.BUILDS["scripted://city"] = [HALF]
    failed = await until(client, await begin(client), "failed", "completed")
    assert failed["code"] == "upstream_incomplete"


async def test_a_build_that_does_not_fit_begins_nothing(
    client: httpx.AsyncClient, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def plan(_self: object, _request: BuildRequest) -> PullPlan:
        return PullPlan("city-int8-cpu", 0, bytes_needed=1 << 49, folder=models)

    monkeypatch.setattr(ScriptedProvider, "plan_build", plan)
    response = await client.post(BUILD, json={"model_name": "city"})
    assert (response.status_code, response.json()["code"]) == (400, "disk_full")
    assert (await client.get(OPERATIONS)).json()["count"] == 0


async def test_a_build_goes_on_after_the_server_was_stopped(make_venom: MakeVenom) -> None:
    scripted.BUILDS["scripted://city"] = [HALF, Pause(forever=True)]
    async with client_of(make_venom()) as client:
        number = await begin(client, precision="fp32")
        await seen(client, number, lambda found: found["progress"] == 50)
    assert scripted.SEEN.closed == 1
    scripted.BUILDS["scripted://city"] = [DONE]
    venom = make_venom()
    async with client_of(venom) as client:
        venom.operations.resume_interrupted(venom.store.file)
        ended = await until(client, number, "completed")
    assert (ended["operation_type"], ended["reference"]) == ("build", "scripted://city-fp32-cpu")
    assert scripted.SEEN.calls.count("build city-fp32-cpu") == 2
