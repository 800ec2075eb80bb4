"""Self-tests that the server makes: what is streamed, what is kept, and what ends one."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from starlette.types import Message

from tests.unit.api.conftest import MakeVenom
from tests.unit.api.events import Event, asked, events_of
from venom_core.api.app import create_app
from venom_core.composition import Venom
from venom_core.sdk.errors import Unavailable
from venom_core.sdk.hookspecs import ObservedEvent, hookimpl
from venom_core.sdk.provider import Model
from venom_core.store.keys import KeyRights
from venom_core.testing import scripted
from venom_core.testing.deadlines import until, within
from venom_core.testing.scripted import Pause, Script, say
from venom_core.testing.staging import BASE_URL, client_of
from venom_core.usecases.selftest.questions import CELLS

TABLE = "/api/v1/models/org/m/selftest"
RUN = f"{TABLE}/run"
MODEL = Model("org/m", "folder", capabilities=frozenset({"chat", "tools"}))
STUCK = Script([Pause(forever=True)], MODEL)


@pytest.fixture(autouse=True)
def model() -> None:
    scripted.SCRIPTS["org/m"] = Script(say("four", " five"), MODEL)


class Leaver:
    """A client that begins a self-test, reads along, and goes away when told to."""

    def __init__(self, venom: Venom) -> None:
        self._app = create_app(venom)
        self._gone = asyncio.Event()
        self.text = ""
        self.task = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        head = [(b"host", b"localhost"), (b"content-length", b"0")]
        messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> Message:
            for message in messages:
                return message
            await self._gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            self.text += message.get("body", b"").decode()

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
            "scheme": "http", "path": RUN, "raw_path": RUN.encode(), "query_string": b"",
            "root_path": "", "headers": head, "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 1),
        }  # fmt: skip
        await self._app(scope, receive, send)

    @property
    def events(self) -> list[Event]:
        return events_of(self.text)

    async def leave(self) -> None:
        self._gone.set()
        await within(self.task)


class Observed:
    """Hears what became of the requests, and of the models."""

    def __init__(self, venom: Venom) -> None:
        self.events: list[ObservedEvent] = []
        venom.host.add_observer("test", self)

    @hookimpl
    def venom_observe(self, event: ObservedEvent) -> None:
        self.events.append(event)

    def of(self, name: str) -> list[Any]:
        return [event.data for event in self.events if event.name == name]


async def test_each_question_has_a_row_and_the_table_is_kept(make_venom: MakeVenom) -> None:
    venom = make_venom()
    observed = Observed(venom)
    async with client_of(venom) as client:
        none = (await client.get(TABLE)).json()
        assert (none["self_test"], none["rows"]) == (None, [])
        assert none["capability_states"] == {"chat": "declared", "tools": "declared"}
        start, *rows, done = await asked(client, RUN, {})
        questions = [(cell.group, cell.name) for cell in CELLS]
        assert start[1]["reference"] == "scripted://org/m"
        assert [(one["group"], one["name"]) for one in start[1]["questions"]] == questions
        assert {name for name, _ in rows} == {"row"}
        assert [(row["group"], row["name"]) for _, row in rows] == questions
        assert rows[0][1]["outcome"] == "honoured"
        assert done[0] == "done" and done[1]["capability_states"]["chat"] == "verified"
        kept = (await client.get(TABLE)).json()
        assert kept["rows"] == [row for _, row in rows]
        assert kept["self_test"] == done[1]["self_test"]
        assert kept["capability_states"] == done[1]["capability_states"]
        listed = (await client.get("/api/v1/models")).json()["models"]
        assert listed[0]["self_test"] == kept["self_test"]
        await until(lambda: observed.of("model.tested"))
        assert observed.of("model.tested") == [{"reference": "scripted://org/m"}]
        trail = (await client.get("/api/v1/audit")).json()["entries"]
        assert [entry["action"] for entry in trail] == ["model.selftest"]


async def test_a_polish_reader_gets_polish_notes_and_english_ones_are_kept(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post(RUN, headers={"Accept-Language": "pl"})
    rows = {data["name"]: data for name, data in events_of(answer.text) if name == "row"}
    assert rows["max_tokens"]["note"] == "tokenów w odpowiedzi: 2 z 3"
    for language, note in (
        ("pl", "tokenów w odpowiedzi: 2 z 3"),
        ("en", "the answer has 2 tokens of 3"),
    ):
        table = (await client.get(TABLE, headers={"Accept-Language": language})).json()
        (row,) = [row for row in table["rows"] if row["name"] == "max_tokens"]
        assert row["note"] == note


async def test_it_asks_as_whoever_began_it(make_venom: MakeVenom) -> None:
    venom = make_venom()
    observed = Observed(venom)
    key, record = venom.store.keys().create("team", KeyRights(scopes=("models", "chat")))
    async with client_of(venom, headers={"x-api-key": key}) as client:
        assert (await asked(client, RUN, {}))[-1][0] == "done"
        finished = observed.of("chat.finished")
        await until(lambda: len(observed.of("chat.finished")) > len(CELLS) / 2)
        assert {one["key_id"] for one in finished} == {record.id}
        usage = (await client.get("/api/v1/usage/summary")).json()
        assert usage["totals"]["requests"] > len(CELLS) / 2


async def test_a_browser_that_is_signed_in_asks_by_its_cookie(make_venom: MakeVenom) -> None:
    venom = make_venom()
    observed = Observed(venom)
    key, record = venom.store.keys().create("team", KeyRights(scopes=("models", "chat")))
    async with client_of(venom) as client:
        assert (await client.post("/api/v1/session", json={"key": key})).status_code == 200
        page = {"Origin": BASE_URL, "Sec-Fetch-Site": "same-origin"}
        answer = await client.post(RUN, headers=page)
        assert events_of(answer.text)[-1][0] == "done"
        await until(lambda: len(observed.of("chat.finished")) > len(CELLS) / 2)
        assert {one["key_id"] for one in observed.of("chat.finished")} == {record.id}


@pytest.mark.parametrize("scopes", [("models",), ("chat",), ("admin",)])
async def test_a_key_needs_both_scopes(make_venom: MakeVenom, scopes: Any) -> None:
    venom = make_venom()
    key, _ = venom.store.keys().create("team", KeyRights(scopes=scopes))
    async with client_of(venom, headers={"x-api-key": key}) as client:
        refused = await client.post(RUN)
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
        assert (await client.get(TABLE)).json()["rows"] == []
    assert scripted.SEEN.requests == []


@pytest.mark.parametrize(
    ("rights", "code"),
    [
        (KeyRights(models=("other",)), "model_not_allowed"),
        (KeyRights(requests_per_day=5), "quota_exceeded"),
    ],
)
async def test_what_the_key_may_not_says_nothing_of_the_model(
    make_venom: MakeVenom, rights: KeyRights, code: str
) -> None:
    venom = make_venom()
    key, _ = venom.store.keys().create("team", rights)
    async with client_of(venom, headers={"x-api-key": key}) as client:
        last = (await asked(client, RUN, {}))[-1]
        assert (last[0], last[1]["code"]) == ("error", code)
        assert (await client.get(TABLE)).json()["rows"] == []


async def test_a_model_that_is_not_there(client: httpx.AsyncClient) -> None:
    for method, path in (("GET", ""), ("POST", "/run")):
        refused = await client.request(method, f"/api/v1/models/none/selftest{path}")
        assert (refused.status_code, refused.json()["code"]) == (404, "model_not_found")


async def test_a_provider_that_is_switched_off(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/models")).status_code == 200
    assert (await client.post("/api/v1/plugins/scripted/disable")).status_code == 200
    refused = await client.post("/api/v1/models/scripted://org/m/selftest/run")
    assert refused.status_code == 503 and refused.json()["fix"]


async def test_an_engine_that_is_down_says_why_and_nothing_is_kept(
    client: httpx.AsyncClient,
) -> None:
    down = Unavailable("The engine is down.", code="engine_down", fix="Start it.")
    scripted.SCRIPTS["org/m"] = Script([down], MODEL)
    start, last = await asked(client, RUN, {})
    assert start[0] == "start" and last[0] == "error"
    assert (last[1]["code"], last[1]["fix"]) == ("engine_down", "Start it.")
    assert last[1]["message"] == "The engine is down."
    assert (await client.get(TABLE)).json()["rows"] == []


async def test_whoever_goes_away_ends_the_answer_and_keeps_nothing(make_venom: MakeVenom) -> None:
    venom = make_venom()
    async with client_of(venom) as client:
        first = await asked(client, RUN, {})
        kept = (await client.get(TABLE)).json()
        scripted.SCRIPTS["org/m"] = STUCK
        leaver = Leaver(venom)
        await until(lambda: scripted.SEEN.running)
        closed = scripted.SEEN.closed
        await leaver.leave()
        assert (scripted.SEEN.running, scripted.SEEN.closed) == (0, closed + 1)
        assert [name for name, _ in leaver.events if name == "row"] == []
        assert (await client.get(TABLE)).json() == kept
        # The turn is free again.
        scripted.SCRIPTS["org/m"] = Script(say("x"), MODEL)
        assert len(await asked(client, RUN, {})) == len(first)


async def test_a_second_one_at_the_same_time_is_refused(make_venom: MakeVenom) -> None:
    venom = make_venom()
    scripted.SCRIPTS["org/m"] = STUCK
    scripted.SCRIPTS["other"] = Script(say("x"))
    async with client_of(venom) as client:
        leaver = Leaver(venom)
        await until(lambda: scripted.SEEN.running)
        for name in ("org/m", "other"):
            refused = await client.post(f"/api/v1/models/{name}/selftest/run")
            assert (refused.status_code, refused.json()["code"]) == (409, "selftest_running")
            assert "scripted://org/m" in refused.json()["detail"]
        assert leaver.events[0][0] == "start"
        await leaver.leave()


async def test_a_key_that_is_revoked_meanwhile_ends_it(
    make_venom: MakeVenom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("venom_core.api.revocation.KEYS_FRESH_SECONDS", 0.01)
    venom = make_venom()
    scripted.SCRIPTS["org/m"] = STUCK
    key, record = venom.store.keys().create("team")
    async with client_of(venom, headers={"x-api-key": key}) as client:
        running = asyncio.create_task(client.post(RUN))
        await until(lambda: scripted.SEEN.running)
        await asyncio.to_thread(venom.store.keys().revoke, record.id)
        answer = await within(running)
        last = events_of(answer.text)[-1]
        assert (last[0], last[1]["code"]) == ("error", "invalid_api_key")
        assert scripted.SEEN.running == 0
