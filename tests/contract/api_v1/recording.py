"""Runs the contract's operations against the application and records what their answers hold."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.contract.api_v1.contract import CONTRACT, PREFIX, Locked
from venom_core.api.app import VenomApp, create_app
from venom_core.sdk.provider import Model, PullPlan, PullProgress
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing import scripted
from venom_core.testing.deadlines import patience
from venom_core.testing.hub import FakeHub
from venom_core.testing.scripted import Script, say
from venom_core.testing.staging import SCRIPTED, entry, venom_over

#: The OpenAPI document, once it was asked for.
_DESCRIBED: list[dict[str, Any]] = []
HUB = entry("venom_hf.plugin")
PAPER = {
    "paper": {"id": "2611.00001", "title": "Tiny", "summary": "It is.", "authors": []},
    "title": "Tiny",
    "publishedAt": "2026-11-02T00:00:00.000Z",
}


@dataclass(slots=True)
class Recorded:
    """``shapes`` holds the key paths of each answer; ``faults`` what was not as the contract has
    it, a sentence each."""

    shapes: dict[str, list[str]] = field(default_factory=dict)
    parameters: dict[str, list[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    checked: int = 0


async def record(folder: Path) -> Recorded:
    """Run every operation and every refusal."""
    found = Recorded()
    async with application(folder) as (client, schema):
        operation = backup = ""
        for locked in CONTRACT:
            call = locked.call.replace("{operation}", operation)
            body = locked.body and {
                name: backup if value == "{backup}" else value
                for name, value in locked.body.items()
            }
            response = await _call(client, locked, call, body)
            answer = response.json() if response.status_code == 200 else {}
            operation = answer.get("operation_id", operation)
            backup = next((one["filename"] for one in answer.get("backups", ())), backup)
            paths = sorted(set(key_paths(answer)))
            found.shapes[locked.operation] = paths
            found.parameters[locked.operation] = parameters_of(schema, locked.operation)
            if response.status_code != 200:
                found.faults.append(f"{locked.operation}: {response.status_code} {response.text}")
            missing = [key for key in locked.keys if key not in paths]
            found.faults += [f"{locked.operation}: no {key}" for key in missing]
            found.checked += 1
            for refusal in locked.refusals:
                response = await _call(client, locked, refusal.call, refusal.body)
                found.checked += 1
                if response.status_code != refusal.status or "detail" not in response.json():
                    found.faults.append(
                        f"{locked.operation}: {refusal.call} {refusal.body} gave "
                        f"{response.status_code}, not {refusal.status}: {response.text[:200]}"
                    )
    return found


@asynccontextmanager
async def application(folder: Path) -> AsyncIterator[tuple[httpx.AsyncClient, dict[str, Any]]]:
    """The API over a scripted provider and the real Hugging Face plugin at a fake Hub."""
    scripted.reset()
    for name in ("m", "gone", "away"):
        model = Model(name, "folder", languages=("pl", "en", "de"))
        scripted.SCRIPTS[name] = Script(say("Warsaw ⟦1⟧"), model)
    for name in ("m", "other"):
        scripted.PULLS[name] = [PullProgress("completed", "It is ready", 1, 1)]
    scripted.PLANS["huge"] = PullPlan("huge", 10**15, folder=folder)
    with FakeHub() as hub:
        hub.add("org/tiny-GGUF", {"tiny-Q4_K_M.gguf": b"GGUF"}, tags=["gguf"])
        hub.papers = [PAPER]
        env = {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(folder / "hub")}
        paths = Paths.at(folder / "home")
        paths.make(paths.home)
        paths.config_file.write_text("# Mine.\n", encoding="utf-8")  # so that there is a backup
        venom = venom_over(Settings.load(paths, env), (SCRIPTED, HUB))
        app = create_app(venom)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            url = "http://127.0.0.1:8366"
            async with httpx.AsyncClient(
                transport=transport, base_url=url, timeout=patience(30)
            ) as client:
                yield client, _description(app)
    scripted.reset()


def _description(app: VenomApp) -> dict[str, Any]:
    """Return the OpenAPI document of the first application of this process: every one has the same
    routes, and it takes a second to make."""
    if not _DESCRIBED:
        _DESCRIBED.append(app.openapi())
    return copy.deepcopy(_DESCRIBED[0])


async def _call(client: httpx.AsyncClient, locked: Locked, call: str, body: Any) -> httpx.Response:
    method = locked.operation.split(" ")[0]
    response = await client.request(method, PREFIX + call, json=body)
    await asyncio.sleep(0)
    return response


def key_paths(value: Any, prefix: str = "") -> Iterator[str]:
    """``models[].name`` and the like, of every item of every list."""
    if isinstance(value, dict):
        for key, inner in value.items():
            path = f"{prefix}.{key}" if prefix else key
            yield path
            yield from key_paths(inner, path)
    elif isinstance(value, list):
        for inner in value:
            yield from key_paths(inner, f"{prefix}[]")


def parameters_of(schema: dict[str, Any], operation: str) -> list[str]:
    """The names of an operation's query and body as the OpenAPI schema has them."""
    method, path = operation.split(" ")
    details = schema["paths"][_in_schema(schema, path)][method.lower()]
    names = [
        f"query {one['name']}" for one in details.get("parameters", ()) if one["in"] == "query"
    ]
    body = details.get("requestBody", {}).get("content", {}).get("application/json", {})
    reference = body.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
    properties = schema.get("components", {}).get("schemas", {}).get(reference, {})
    names += [f"body {name}" for name in properties.get("properties", {})]
    return sorted(names)


def _in_schema(schema: dict[str, Any], path: str) -> str:
    """The schema's path that differs in the names of its parameters only."""
    wanted = _without_names(PREFIX + path)
    return str(next(found for found in schema["paths"] if _without_names(found) == wanted))


def _without_names(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))
