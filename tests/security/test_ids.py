"""Names of models are opaque: what is listed can be used, and a bad name leaves the others."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from urllib.parse import quote, unquote

import pytest

from tests.served import client_served, served
from tests.unit.api.conftest import MakeVenom
from tests.unit.cli.conftest import Cli
from venom_core.api.app import create_app
from venom_core.cli.connection.interface import Connection
from venom_core.cli.connection.local import LocalVenom
from venom_core.cli.connection.server import ServerClient
from venom_core.sdk.provider import LoadedModel, Model
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer, say
from venom_core.testing.staging import client_of

#: Names as engines give them: a path is vLLM's default and llama-server's.
NAMES = {
    "spaces and parentheses": "My Model (v2), final",
    "Cyrillic": "Сайга 7B",
    "Polish": "Żółw-1b:Q4",
    "an absolute path": "/models/llama 3/model.gguf",
    "a path to a file": "/models/llama.gguf",
    "a path with a slash at its end": "/models/llama/",
    "a path of Windows": "C:\\models\\llama.gguf",
    "dots": "../llama",
    "dots in its midst": "a/../b/./c",
    "what URLs take apart": "a?b#c%20d&e=f;g+h",
    "percent that decodes": "100%25",
    "a scheme": "s3://bucket/model",
    "a flag": "-rf",
    "the end of a route": "x/config",
    "the beginning of a route": "loaded",
    "quotes": 'it\'s "the" <model>',
    "emoji": "🦙",
    "long": "x" * 400,
}
#: Names that nobody could be shown.
BAD = {
    "newline": "a\nb",
    "escape": "\x1b[31mred\x1b[0m",
    "a surrogate": "half \ud83d",
    "null": "a\0b",
    "C1": "a\x9b31m",
    "other direction": "a\u202eb",
    "blank": "  ",
    "empty": "",
    "too long": "x" * 1000,
}
HI = {"messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(params=list(NAMES.values()), ids=list(NAMES))
def name(request: pytest.FixtureRequest) -> str:
    scripted.SCRIPTS["plain"] = Script(answer("plain"))
    scripted.SCRIPTS[request.param] = Script(answer("hello"))
    return str(request.param)


def in_path(name: str) -> str:
    return quote(name, safe="")


async def test_the_api_takes_what_it_lists(make_venom: MakeVenom, name: str) -> None:
    async with client_served(create_app(make_venom())) as client:
        listed = (await client.get("/v1/models")).json()["data"]
        ids = [one["id"] for one in listed if one["id"].removeprefix("scripted://") == name]
        assert len(ids) == 1, listed
        for asked in {ids[0], f"scripted://{name}"}:
            chat = await client.post("/v1/chat/completions", json={**HI, "model": asked})
            assert chat.status_code == 200, chat.text
            assert chat.json()["model"] == asked
            assert unquote(chat.headers["venom-model"]) == f"scripted://{name}"
            vectors = await client.post("/v1/embeddings", json={"input": "x", "model": asked})
            assert vectors.status_code == 200, vectors.text
            body = {"content": "hi", "model": asked}
            scripted.SCRIPTS[name] = Script(say("hello"))
            simple = await client.post("/api/v1/llm/simple/stream", json=body)
            scripted.SCRIPTS[name] = Script(answer("hello"))
            assert simple.status_code == 200 and "event: done" in simple.text
            one = await client.get(f"/v1/models/{in_path(asked)}")
            assert one.status_code == 200 and one.json()["id"] == asked, one.text
            for what in ("details", "config", "capabilities", "fit"):
                got = await client.get(f"/api/v1/models/{in_path(asked)}/{what}")
                assert got.status_code == 200, got.text
                assert json.dumps(name)[1:-1] in json.dumps(got.json())
            config = await client.post(
                f"/api/v1/models/{in_path(asked)}/config", json={"params": {"temperature": 0.5}}
            )
            assert config.status_code == 200, config.text
            stop = await client.post(f"/api/v1/models/{in_path(asked)}/unload")
            assert stop.status_code == 200, stop.text
            use = await client.post("/api/v1/models/switch", json={"name": asked})
            assert use.status_code == 200, use.text
        alias = {"name": "short", "target": ids[0]}
        assert (await client.post("/api/v1/models/aliases", json=alias)).status_code == 200
        chat = await client.post("/v1/chat/completions", json={**HI, "model": "short"})
        assert chat.status_code == 200
        await client.post("/api/v1/models/deactivate", json={})
        gone = await client.delete(f"/api/v1/models/{in_path('scripted://' + name)}")
        assert gone.status_code == 200, gone.text
        assert name not in scripted.SCRIPTS and "plain" in scripted.SCRIPTS


@pytest.fixture(params=["here", "over a server"])
async def connection(
    request: pytest.FixtureRequest, make_venom: MakeVenom
) -> AsyncIterator[Connection]:
    venom = make_venom()
    if request.param == "here":
        local = await LocalVenom.open(venom)
        yield local
        await local.close()
        return
    async with served(create_app(venom)) as url:
        client = ServerClient(url, venom.local_token)
        yield client
        await client.close()


async def test_the_command_line_takes_what_it_lists(connection: Connection, name: str) -> None:
    scripted.SCRIPTS[name] = Script(say("hello"))
    full = f"scripted://{name}"
    async with connection.ask(full, HI) as told:
        assert [text async for text, _ in told.pieces()] == ["hello"]
        assert told.reference == full
    assert (await connection.details(full))["reference"] == full
    assert (await connection.fit(full, None))["reference"] == full
    await connection.configure(full, {"temperature": 0.25})
    assert (await connection.generation(full))["reference"] == full
    await connection.use(full, "chat")
    await connection.use(None, "chat")
    await connection.unload(full)
    await connection.remove(full)
    assert name not in scripted.SCRIPTS


def test_a_question_goes_to_the_model_that_is_named(cli: Cli, name: str) -> None:
    for number, asked in enumerate((f"scripted://{name}", name)):
        if asked.startswith("-") or ("://" in name and number):
            continue  # an option; a provider
        scripted.SCRIPTS[name] = Script(say("hello"))
        done = cli("run", asked, "What is it?")
        assert (done.code, done.out) == (0, "hello\n"), done.err
        assert scripted.SEEN.requests[-1].model == name


@pytest.mark.parametrize("bad", list(BAD.values()), ids=list(BAD))
async def test_one_bad_name_leaves_the_rest(make_venom: MakeVenom, bad: str) -> None:
    scripted.SCRIPTS["good"] = Script(answer("hello"))
    scripted.SCRIPTS["bad"] = Script(answer("x"), Model(bad, "folder"))
    scripted.SCRIPTS["last"] = Script(answer("x"))
    async with client_of(make_venom()) as client:
        served_ = (await client.get("/v1/models")).json()["data"]
        assert [one["id"] for one in served_] == ["good", "last"]
        listed = await client.get("/api/v1/models")
        assert [one["name"] for one in listed.json()["models"]] == ["good", "last"]
        (left_out,) = listed.json()["left_out"]
        assert left_out["provider"] == "scripted" and left_out["message"]
        assert left_out["name"].isprintable()
        chat = await client.post("/v1/chat/completions", json={**HI, "model": "good"})
        assert chat.status_code == 200
        body = json.dumps({**HI, "model": bad or "\n"})  # ASCII: a surrogate is written as one
        refused = await client.post("/v1/chat/completions", content=body)
        assert refused.status_code in (400, 404, 422), refused.text
        for path in ("/v1/models/", "/api/v1/models/"):
            asked = quote(bad.encode("utf-8", "surrogatepass") or b"%0a", safe="")
            got = await client.get(f"{path}{asked}")
            assert got.status_code in (400, 404, 405), got.text


async def test_bad_words_beside_a_name_are_shown_with_escapes(make_venom: MakeVenom) -> None:
    words = "\x1b[2Jgone\ud800"
    model = Model("m", "folder", title=words, summary=words, license=words,
                  details={words: [words]}, allowed_roles=(words,))  # fmt: skip
    scripted.SCRIPTS["m"] = Script(answer("x"), model)
    async with client_of(make_venom()) as client:
        for path in ("/api/v1/models", "/api/v1/models/m/details", "/api/v1/overview"):
            got = await client.get(path)
            assert got.status_code == 200, got.text
            assert "\\u001b" not in got.text and "\\ud800" not in got.text.replace("\\\\ud800", "")


async def test_bad_refs_elsewhere_take_no_list_away(
    make_venom: MakeVenom, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ps(self: object) -> list[LoadedModel]:
        return [LoadedModel("\ud800\x1b"), LoadedModel("m")]

    monkeypatch.setattr(scripted.ScriptedProvider, "ps", ps)
    async with client_of(make_venom()) as client:
        got = await client.get("/api/v1/models/loaded")
        assert got.status_code == 200 and got.json()["count"] == 2


def test_commands_show_what_is_left_out(cli: Cli) -> None:
    scripted.SCRIPTS["good"] = Script(answer("x"))
    scripted.SCRIPTS["bad"] = Script(answer("x"), Model("\x1b[31mred\n", "folder"))
    done = cli("list")
    assert (
        "good" in done.out and "\\x1b[31mred\\n" in done.err and "\x1b" not in done.out + done.err
    )


@pytest.mark.parametrize("name", ["../../etc/passwd", "a b", "-rf", "x\ny", "ś"])
async def test_what_is_not_listed_is_not_fetched_by_such_a_name(
    make_venom: MakeVenom, name: str
) -> None:
    async with client_of(make_venom()) as client:
        for asked in (name, f"scripted://{name}"):
            got = await client.post("/api/v1/models/install", json={"name": asked})
            assert got.status_code == 400 and got.json()["code"] == "invalid_model_name"
    assert not any(call.startswith("pull") for call in scripted.SEEN.calls)
