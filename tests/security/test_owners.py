"""Each key is an owner of its own, what it has begun ends with it, and no key can blind the
trail of what others did."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.api.conftest import MakeVenom
from tests.unit.cli.conftest import Cli
from venom_core.api import revocation, security
from venom_core.api.app import create_app
from venom_core.api.signins import MAX_SIGNED_IN, SignIns
from venom_core.composition import Venom
from venom_core.sdk.frames import delta
from venom_core.store.access import Store
from venom_core.store.audit import Actor
from venom_core.store.keys import KeyRights
from venom_core.store.operations import Operation
from venom_core.store.sessions import Owner
from venom_core.testing import scripted
from venom_core.testing.deadlines import until
from venom_core.testing.scripted import Pause, Script, say
from venom_core.testing.staging import client_of

ONE, TWO = "first-key-of-the-file", "second-key-of-the-file"
PAGE = {"Origin": "http://127.0.0.1:8366"}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


# -- keys of a file ------------------------------------------------------------------------------


@pytest.fixture
def with_file(make_venom: MakeVenom, tmp_path: Path) -> Callable[[str], Venom]:
    def make(keys: str = f"{ONE}\n{TWO}\n") -> Venom:
        file = tmp_path / "keys"
        file.write_text(keys)
        return make_venom(VENOM_API_KEY_FILE=str(file))

    return make


async def test_a_key_of_the_file_owns_what_it_made(with_file: Callable[..., Venom]) -> None:
    async with client_of(with_file()) as client:
        made = await client.post("/api/v1/sessions", json={"title": "mine"}, headers=bearer(ONE))
        path = f"/api/v1/sessions/{made.json()['session']['id']}"
        assert (await client.get(path, headers=bearer(ONE))).status_code == 200
        assert (await client.get(path, headers=bearer(TWO))).status_code == 404
        assert (await client.get(f"{path}/export", headers=bearer(TWO))).status_code == 404
        assert (await client.delete(path, headers=bearer(TWO))).status_code == 404
        listed = await client.get("/api/v1/sessions", headers=bearer(TWO))
        assert listed.json()["sessions"] == []


async def test_its_name_is_the_same_wherever_it_stands(with_file: Callable[..., Venom]) -> None:
    names = []
    for keys in (f"{ONE}\n{TWO}\n", f"{TWO}\n{ONE}\n", f"{ONE}\n"):
        async with client_of(with_file(keys)) as client:
            told = await client.get("/api/v1/session", headers=bearer(ONE))
            names.append(told.json()["key_id"])
            signed = await client.post("/api/v1/session", json={"key": ONE}, headers=PAGE)
            assert signed.json()["key_id"] == names[0]
            assert (await client.get("/api/v1/overview")).status_code == 200, "by the cookie"
    assert len(set(names)) == 1 and names[0] not in ("file", None) and ONE not in names[0]


# -- revoking ends what is under way -------------------------------------------------------------


async def ask(app: Any, path: str, body: Any, key: str | None, sent: list[bytes]) -> int:
    """Ask without a client that waits for the end; gives the status."""
    data = b"" if body is None else json.dumps(body).encode()
    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
    if key is not None:
        headers.append((b"authorization", f"Bearer {key}".encode()))
    scope = {
        "type": "http", "method": "GET" if body is None else "POST", "path": path,
        "raw_path": path.encode(), "query_string": b"", "headers": headers, "scheme": "http",
        "http_version": "1.1", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
        "asgi": {"version": "3.0", "spec_version": "2.4"},
    }  # fmt: skip
    asked, status = [False], [0]

    async def receive() -> dict[str, Any]:
        if asked[0]:
            await asyncio.Event().wait()
        asked[0] = True
        return {"type": "http.request", "body": data, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            status[0] = message["status"]
        sent.append(message.get("body", b""))

    await app(scope, receive, send)
    return status[0]


@contextlib.asynccontextmanager
async def application(venom: Venom) -> AsyncIterator[Any]:
    app = create_app(venom)
    async with app.router.lifespan_context(app):
        yield app


CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
SIMPLE = {"model": "m", "content": "hi"}
#: What is under way, the path and the body that begin it, what shows that it has begun, its status.
BEGUN: dict[str, tuple[str, Any, bytes, int]] = {
    "a stream": ("/v1/chat/completions", CHAT, b"one", 200),
    "a page's stream": ("/api/v1/llm/simple/stream", SIMPLE, b"one", 200),
    "a wait for a model": ("/v1/chat/completions", {**CHAT, "model": "slow"}, b"", 401),
    "a whole answer": (
        "/v1/chat/completions",
        {**CHAT, "model": "slow", "stream": False},
        b"",
        401,
    ),
    "a page's wait": ("/api/v1/llm/simple/stream", {**SIMPLE, "model": "slow"}, b"", 401),
    "a feed": ("/api/v1/events", None, b": watching", 200),
}


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "KEYS_FRESH_SECONDS", 0.01)
    monkeypatch.setattr(revocation, "KEYS_FRESH_SECONDS", 0.01)
    scripted.SCRIPTS["m"] = Script([delta("one"), Pause(forever=True)])
    scripted.SCRIPTS["slow"] = Script([Pause(forever=True)])


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(("path", "body", "shown", "status"), list(BEGUN.values()), ids=list(BEGUN))
async def test_revoking_a_key_ends_it(
    make_venom: MakeVenom, path: str, body: Any, shown: bytes, status: int
) -> None:
    venom = make_venom()
    key, record = venom.store.keys().create("laptop")
    _, other = venom.store.keys().create("admin")
    sent: list[bytes] = []
    async with application(venom) as app:
        asking = asyncio.create_task(ask(app, path, body, key, sent))
        await until(lambda: shown in b"".join(sent) and (body is None or scripted.SEEN.running))
        venom.store.keys().revoke(other.id)
        await asyncio.sleep(0)
        assert not asking.done(), "another key's end is none of its business"
        venom.store.keys().revoke(record.id)
        assert await asyncio.wait_for(asking, 20) == status
        assert scripted.SEEN.running == 0, "the engine goes on for nobody"
    text = b"".join(sent)
    if path == "/v1/chat/completions" and status == 200:
        assert text.endswith(b"data: [DONE]\n\n") and b'"code": "invalid_api_key"' in text
    elif body is not None:
        assert b"invalid_api_key" in text


@pytest.mark.usefixtures("soon")
async def test_the_first_key_ends_what_nobody_had_to_show_one_for(make_venom: MakeVenom) -> None:
    venom = make_venom()
    sent: list[bytes] = []
    async with application(venom) as app:
        asking = asyncio.create_task(ask(app, "/api/v1/events", None, None, sent))
        await until(lambda: b": watching" in b"".join(sent))
        venom.store.keys().create("laptop")
        await asyncio.wait_for(asking, 20)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("who", ["local", "file", "key"])
async def test_whoever_may_stay_stays(with_file: Callable[..., Venom], who: str) -> None:
    scripted.SCRIPTS["m"] = Script([delta("one"), Pause(0.3), *say("two")])
    venom = with_file()
    made, _ = venom.store.keys().create("laptop")
    key = {"local": venom.local_token, "file": TWO, "key": made}[who]
    sent: list[bytes] = []
    async with application(venom) as app:
        assert await ask(app, "/v1/chat/completions", CHAT, key, sent) == 200
    assert b"two" in b"".join(sent) and b"error" not in b"".join(sent)


# -- sign-ins ------------------------------------------------------------------------------------


def test_a_flood_of_one_key_signs_nobody_else_out() -> None:
    signins = SignIns()
    admin = signins.begin("admin")
    for _ in range(MAX_SIGNED_IN + 10):
        signins.begin("chat")
    assert signins.key_id(admin) == "admin"
    for number in range(MAX_SIGNED_IN):
        signins.begin(f"key {number // 50}")
    assert signins.key_id(admin) == "admin"


async def test_a_flood_is_one_entry_and_hides_nothing(make_venom: MakeVenom) -> None:
    venom = make_venom()
    venom.store.record_audit(Actor("boss"), "key.revoke", "0a1b2c3d", None, None)
    key, record = venom.store.keys().create("chat", KeyRights(scopes=("chat",)))
    async with client_of(venom) as client:
        for _ in range(60):
            told = await client.post("/api/v1/session", json={"key": key}, headers=PAGE)
            assert told.status_code == 200
            await client.delete("/api/v1/session", headers=PAGE)
        admin = bearer(venom.local_token)
        trail = (await client.get("/api/v1/audit", headers=admin)).json()
    found = [(one["action"], one["key_id"]) for one in trail["entries"]]
    assert found == [
        ("session.end", record.id),
        ("session.begin", record.id),
        ("key.create", "local"),
        ("key.revoke", "boss"),
    ]
    assert trail["entries"][1]["after"]["times"] == 60


# -- long lists ----------------------------------------------------------------------------------


def fill(store: Store, count: int) -> None:
    for number in range(count):
        store.record_audit(Actor("k"), "x", f"subject {number}", None, None)
        store.operations().save(
            Operation(
                f"op-{number:03}", "install", "completed", "scripted", "m", "m", "Done",
                f"2026-11-05T10:00:{number // 3:02}.000Z",
            )
        )  # fmt: skip


async def pages(ask: Callable[[str], Awaitable[dict[str, Any]]], what: str) -> list[Any]:
    found: list[Any] = []
    cursor = ""
    for _ in range(50):
        page = await ask(cursor)
        assert len(page[what]) <= 10
        found += page[what]
        if page["next_cursor"] is None:
            return found
        cursor = page["next_cursor"]
    raise AssertionError("it goes round in circles")


@pytest.mark.parametrize(
    ("path", "what", "field"),
    [
        ("/api/v1/audit", "entries", "subject"),
        ("/api/v1/models/operations", "operations", "operation_id"),
    ],
)
@pytest.mark.parametrize("count", [0, 9, 10, 11, 43])
async def test_pages_are_the_whole(
    make_venom: MakeVenom, path: str, what: str, field: str, count: int
) -> None:
    venom = make_venom()
    venom.settings.paths.make(venom.settings.paths.home)
    fill(venom.store, count)
    async with client_of(venom) as client:

        async def ask(cursor: str) -> dict[str, Any]:
            params = {"limit": "10", **({"cursor": cursor} if cursor else {})}
            return dict((await client.get(path, params=params)).json())

        found = await pages(ask, what)
        for cursor in ("x" * 65, "", "-1", "\N{POUND SIGN}"):
            answer = await client.get(path, params={"cursor": cursor})
            assert answer.status_code in (200, 422), "refused, or begun anew, and never a fault"
    assert len({one[field] for one in found}) == len(found) == count


@pytest.mark.parametrize("command", ["audit", "operations"])
def test_commands_page_too(cli: Cli, paths: Any, command: str) -> None:
    paths.make(paths.home)
    fill(Store(paths.store_file), 15)
    first = json.loads(cli(command, "--limit", "10", "--json").out)
    rest = json.loads(cli(command, "--limit", "10", "--json", "--cursor", first["next_cursor"]).out)
    what = {"audit": "entries", "operations": "operations"}[command]
    assert (len(first[what]), len(rest[what]), rest["next_cursor"]) == (10, 5, None)
    told = cli(command, "--limit", "10")
    assert f"venom {command} --cursor {first['next_cursor']}" in told.err


def test_usage_and_sessions_page_too(cli: Cli, paths: Any) -> None:
    paths.make(paths.home)
    store = Store(paths.store_file)
    for number in range(5):
        store.sessions().create(Owner(""), f"s{number}", f"title {number}")
    found = [
        one["id"]
        for offset in ("0", "2", "4")
        for one in json.loads(
            cli("sessions", "list", "--limit", "2", "--offset", offset, "--json").out
        )["sessions"]
    ]
    assert sorted(found) == [f"s{number}" for number in range(5)]
    assert cli("usage", "--limit", "2", "--offset", "4").code == 0
