"""`POST /translate` and its stream: exact, whole or refused; what is kept, and for whom."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.served import client_served
from tests.unit.api.conftest import MakeVenom
from tests.unit.api.events import asked, events_of, text_of
from venom_core.api.app import create_app
from venom_core.chat import translation
from venom_core.chat.translation import TranslationCache
from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.frames import Usage, delta, finish
from venom_core.sdk.provider import Model
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.store.audit import Actor
from venom_core.store.keys import KeyRights
from venom_core.testing import scripted
from venom_core.testing.deadlines import until
from venom_core.testing.scripted import Pause, Script, Step, say
from venom_core.testing.staging import client_of, venom_over

PATH = "/api/v1/translate"
STREAM = f"{PATH}/stream"
MODEL = Model("m", "folder", languages=("pl", "en", "de"))


def says(*words: str) -> None:
    scripted.SCRIPTS["m"] = Script(say(*words), MODEL)


def plays(*steps: Step) -> None:
    scripted.SCRIPTS["m"] = Script(steps, MODEL)


@pytest.fixture(autouse=True)
def models() -> None:
    says("Dzień ", "dobry")


def asks() -> int:
    return len(scripted.SEEN.requests)


async def refusal(client: httpx.AsyncClient, **body: Any) -> tuple[int, str]:
    """Of both routes, which must agree."""
    found = []
    for path in (PATH, STREAM):
        response = await client.post(path, json=body)
        record = response.json() if response.status_code != 200 else {"code": "none"}
        found.append((response.status_code, record["code"]))
    assert found[0] == found[1]
    return found[0]


async def test_a_translation(client: httpx.AsyncClient) -> None:
    response = await client.post(PATH, json={"text": "Good day", "source_lang": "en"})
    assert response.json() == {
        "success": True, "translated_text": "Dzień dobry", "target_lang": "pl", "source_lang": "en",
        "model": "scripted://m", "cached": False,
    }  # fmt: skip
    assert response.headers["x-request-id"]
    request = scripted.SEEN.requests[0].body
    system, user = request["messages"]
    assert "from English into Polish" in system["content"] and "⟦" not in system["content"]
    assert user == {"role": "user", "content": "Good day"}
    assert request["temperature"] == 0.2


async def test_a_template_without_a_system_role_gets_it_with_the_text(
    client: httpx.AsyncClient,
) -> None:
    roles = ("user", "assistant")
    model = Model("m", "folder", languages=("pl", "en"), allowed_roles=roles)
    scripted.SCRIPTS["m"] = Script(say("x"), model)
    assert (await client.post(PATH, json={"text": "Good day"})).status_code == 200
    (message,) = scripted.SEEN.requests[0].body["messages"]
    assert message["content"].endswith("\n\nGood day")


async def test_what_must_not_change_comes_back(client: httpx.AsyncClient) -> None:
    says("Cześć ⟦", "1⟧, zobacz [stronę]⟦2⟧ i ⟦3⟧")
    text = "  Hi {name}, see [the page](https://a.b) and `x = 1`\n"
    body = {"text": text, "source_lang": "en"}
    whole = "  Cześć {name}, zobacz [stronę](https://a.b) i `x = 1`\n"
    response = await client.post(PATH, json={**body, "use_cache": False})
    assert response.json()["translated_text"] == whole
    sent = scripted.SEEN.requests[0].body["messages"]
    assert sent[1]["content"] == "Hi ⟦1⟧, see [the page]⟦2⟧ and ⟦3⟧"
    assert "⟦1⟧" in sent[0]["content"]
    found = await asked(client, STREAM, body)
    assert text_of(found) == whole == found[-1][1]["translated_text"]


@pytest.mark.parametrize("wrong", ["Cześć", "⟦1⟧ ⟦1⟧", "⟦1⟧ ⟦2⟧", "- ⟦1⟧", "[1]"])
async def test_one_retry_then_a_clear_error(client: httpx.AsyncClient, wrong: str) -> None:
    says(wrong)
    response = await client.post(PATH, json={"text": "Hi {name}"})
    assert (response.status_code, response.json()["code"]) == (502, "translation_damaged")
    assert asks() == 2
    found = await asked(client, STREAM, {"text": "Hi {name}"})
    assert [name for name, _ in found if name == "restart"] == ["restart"]
    assert found[-1][1]["code"] == "translation_damaged"
    assert "{name}" not in json.dumps(found[-1][1])
    says("Cześć ⟦1⟧")
    response = await client.post(PATH, json={"text": "Hi {name}"})
    assert response.json()["cached"] is False, "a damaged one was kept"


async def test_a_retry_that_is_exact_is_the_translation(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([say("lost"), say("Cześć ⟦1⟧")])
    play = scripted.ScriptedProvider._play

    def in_turn(provider: Any, request: Any) -> Any:
        plays(*next(answers))
        return play(provider, request)

    monkeypatch.setattr(scripted.ScriptedProvider, "_play", in_turn)
    found = await asked(client, STREAM, {"text": "Hi {name}"})
    assert [name for name, _ in found if name != "content"] == ["start", "restart", "done"]
    assert found[-1][1]["translated_text"] == "Cześć {name}"


async def test_the_cache(client: httpx.AsyncClient) -> None:
    body = {"text": "Good day", "source_lang": "en"}
    await client.post(PATH, json=body)
    again = (await client.post(PATH, json={**body, "text": " Good day\n"})).json()
    assert (again["cached"], again["translated_text"], asks()) == (True, " Dzień dobry\n", 1)
    found = await asked(client, STREAM, body)
    assert [name for name, _ in found] == ["start", "done"] and asks() == 1
    for other in (
        {**body, "target_lang": "de"}, {"text": "Good day"}, {**body, "text": "Good days"},
        {**body, "use_cache": False},
    ):  # fmt: skip
        before = asks()
        assert (await client.post(PATH, json=other)).json()["cached"] is False
        assert asks() == before + 1


async def test_use_cache_false_keeps_nothing(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        await client.post(PATH, json={"text": "Good day", "use_cache": False})
    await client.post(PATH, json={"text": "Good day"})
    assert asks() == 3


async def test_another_model_and_other_parameters_are_another_translation(
    make_venom: MakeVenom,
) -> None:
    venom = make_venom()
    async with client_of(venom) as client:
        await client.post(PATH, json={"text": "Good day"})
        item = await venom.registry.resolve("m")
        await venom.manager.configure(item, {"max_tokens": 50}, Actor())
        assert (await client.post(PATH, json={"text": "Good day"})).json()["cached"] is False
        assert scripted.SEEN.requests[-1].body["max_tokens"] == 50
        other = Model("other", "folder", languages=("pl", "en"), size_bytes=1)
        scripted.SCRIPTS["other"] = Script(say("Inny"), other)
        await client.get("/api/v1/models")
        await venom.manager.use("other", role="translation", actor=Actor())
        told = (await client.post(PATH, json={"text": "Good day"})).json()
        assert (told["translated_text"], told["model"]) == ("Inny", "scripted://other")


def test_the_cache_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    cache = TranslationCache(lambda: now[0])
    for number in range(translation.CACHE_ENTRIES + 5):
        cache.put(str(number), "x")
    assert len(cache) == translation.CACHE_ENTRIES
    assert cache.get("4") is None and cache.get("5") == "x"
    cache.put("new", "y")  # "6" goes: "5" was just used
    assert cache.get("6") is None and cache.get("5") == "x"
    now[0] = translation.CACHE_SECONDS - 1
    assert cache.get("new") == "y"
    now[0] = translation.CACHE_SECONDS
    assert cache.get("new") is None
    monkeypatch.setattr(translation, "CACHE_CHARACTERS", 10)
    cache.put("long", "x" * 10)
    assert len(cache) == 1
    cache.put("longer", "x" * 11)
    assert len(cache) == 0
    cache.put("long", "x" * 9)
    cache.put("long", "x" * 9)
    assert len(cache) == 1


@pytest.mark.parametrize("text", ["", "   \n", "https://example.org", "{name} 123", "`code`"])
async def test_nothing_to_translate_is_echoed(client: httpx.AsyncClient, text: str) -> None:
    told = (await client.post(PATH, json={"text": text})).json()
    assert (told["translated_text"], told["model"], asks()) == (text, None, 0)
    assert (await asked(client, STREAM, {"text": text}))[-1][1]["translated_text"] == text


async def test_the_same_language_is_echoed(client: httpx.AsyncClient) -> None:
    told = await client.post(PATH, json={"text": "Cześć", "source_lang": "pl"})
    assert (told.json()["translated_text"], asks()) == ("Cześć", 0)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"text": "x", "target_lang": "fr"}, 400, "unsupported_language"),
        ({"text": "x", "target_lang": "PL"}, 400, "unsupported_language"),
        ({"text": "", "target_lang": ""}, 400, "unsupported_language"),
        ({"text": "x", "source_lang": "auto"}, 400, "unsupported_language"),
        ({"text": "x" * 20_001}, 413, "text_too_long"),
        ({"text": 1}, 422, "invalid_request_error"),
        ({}, 422, "invalid_request_error"),
        ({"text": "x", "use_cache": "no"}, 422, "invalid_request_error"),
        ({"text": "x", "model": "m"}, 422, "invalid_request_error"),
    ],
)
async def test_a_body_that_is_none(
    client: httpx.AsyncClient, body: dict[str, Any], status: int, code: str
) -> None:
    assert await refusal(client, **body) == (status, code)
    assert asks() == 0


async def test_the_longest_text_passes(client: httpx.AsyncClient) -> None:
    assert (await client.post(PATH, json={"text": "x" * 20_000})).status_code == 200


@pytest.mark.parametrize(
    "model",
    [
        Model("m", "folder"),  # nothing is known of it
        Model("m", "folder", languages=("en",)),
        Model("m", "folder", languages=("pl",)),
        Model("m", "folder", languages=("en", "de")),
        Model("m", "folder", languages=("pl", "en"), instruct=False),
        Model("smollm2:135m", "folder", instruct=True),
        Model("gemma3:270m", "folder", instruct=True),
        Model("gemma3:1b", "folder", instruct=True),
        Model("llama3.1:8b", "folder"),
    ],
)
async def test_a_model_that_cannot_translate_is_refused(
    client: httpx.AsyncClient, model: Model
) -> None:
    scripted.SCRIPTS.clear()
    scripted.SCRIPTS[model.ref] = Script(say("x"), model)
    assert await refusal(client, text="Good day", source_lang="en") == (400, "model_not_capable")
    assert asks() == 0


@pytest.mark.parametrize(
    "ref", ["gemma3:4b", "ggml-org/gemma-3-4b-it-GGUF", "qwen3:8b", "aya-expanse:8b", "gemma3n:e4b"]
)
async def test_families_that_can(client: httpx.AsyncClient, ref: str) -> None:
    scripted.SCRIPTS.clear()
    scripted.SCRIPTS[ref] = Script(say("x"), Model(ref, "folder"))
    assert (await client.post(PATH, json={"text": "Good day"})).status_code == 200


async def test_a_model_of_two_languages_translates_between_them(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS.clear()
    scripted.SCRIPTS["llama3.1:8b"] = Script(say("Guten Tag"), Model("llama3.1:8b", "folder"))
    body = {"text": "Good day", "source_lang": "en", "target_lang": "de"}
    assert (await client.post(PATH, json=body)).status_code == 200
    body["source_lang"] = "pl"
    assert (await client.post(PATH, json=body)).json()["code"] == "model_not_capable"


def test_the_demonstration_models_are_refused() -> None:
    from venom_core.models.languages import languages_of
    from venom_llamacpp.catalogue import BUILT_IN

    for entry in BUILT_IN.values():
        model = Model(entry.ref, "gguf", languages=entry.languages, instruct=entry.instruct)
        assert len(languages_of(model) or ()) < 2, entry.ref


async def test_who_chose_a_model_of_which_nothing_is_known_may_use_it(
    make_venom: MakeVenom,
) -> None:
    venom = make_venom()
    scripted.SCRIPTS["m"] = Script(say("x"), Model("m", "folder"))
    base = Model("base", "folder", instruct=False)
    english = Model("english", "folder", languages=("en",))
    for model in (base, english):
        scripted.SCRIPTS[model.ref] = Script(say("x"), model)
    async with client_of(venom) as client:
        await venom.manager.use("m", actor=Actor())
        assert (await client.post(PATH, json={"text": "Hi"})).json()["code"] == "model_not_capable"
        await venom.manager.use("m", role="translation", actor=Actor())
        assert (await client.post(PATH, json={"text": "Hi"})).status_code == 200
        for name in ("base", "english"):
            with pytest.raises(Exception, match="cannot be the active model for translation"):
                await venom.manager.use(name, role="translation", actor=Actor())


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        (say(), "empty_translation"),
        (say(" ", "\n"), "empty_translation"),
        ([delta("Dzie", role="assistant"), finish("length")], "translation_cut"),
        ([delta("Dzie", role="assistant"), UpstreamError("It broke.")], "upstream_error"),
        ([delta("Dzie", role="assistant")], "upstream_incomplete"),
    ],
)
async def test_what_is_not_whole_is_an_error_and_never_kept(
    client: httpx.AsyncClient, steps: list[Step], code: str
) -> None:
    plays(*steps)
    response = await client.post(PATH, json={"text": "Good day"})
    assert (response.status_code, response.json()["code"]) == (502, code)
    streamed = await client.post(STREAM, json={"text": "Good day"})
    if streamed.status_code == 200:
        found = events_of(streamed.text)
        assert (found[-1][0], found[-1][1]["code"]) == ("error", code)
        assert "done" not in dict(found)
    else:
        assert streamed.json()["code"] == code
    says("Dzień dobry")
    assert (await client.post(PATH, json={"text": "Good day"})).json()["cached"] is False


async def test_llm_off_is_503(make_venom: MakeVenom) -> None:
    async with client_of(make_venom(VENOM_RUNTIME_PROFILE="llm_off")) as client:
        assert await refusal(client, text="Good day") == (503, "llm_off")


async def test_a_key_gets_nothing_of_a_model_that_it_may_not_use(make_venom: MakeVenom) -> None:
    venom = make_venom()
    boss, _ = venom.store.keys().create("boss")
    guest, _ = venom.store.keys().create("guest", KeyRights(models=("other",)))
    async with client_of(venom) as client:
        for key, status in ((boss, 200), (guest, 403)):
            response = await client.post(
                PATH, json={"text": "Good day"}, headers={"x-api-key": key}
            )
            assert response.status_code == status, response.text
        counted = await client.get("/api/v1/usage/summary", headers={"x-api-key": boss})
        assert counted.json()["totals"]["refused"] == 1


async def test_no_text_is_in_a_log(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for steps in (say("xyzzy-answer"), [delta("xyzzy"), ValueError("broken")], say("⟦9⟧ xyzzy")):
        plays(*steps)
        await client.post(PATH, json={"text": "xyzzy-question", "use_cache": False})
    assert "xyzzy" not in caplog.text


async def test_three_at_once_and_the_others_wait(client: httpx.AsyncClient) -> None:
    plays(Pause(0.2), *say("x"))
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, scripted.SEEN.running)
            await asyncio.sleep(0.005)

    watching = asyncio.create_task(watch())
    answers = await asyncio.gather(
        *(client.post(PATH, json={"text": f"Text {n} is here {'x' * n}"}) for n in range(7))
    )
    watching.cancel()
    assert [one.status_code for one in answers] == [200] * 7
    assert most == 3


async def test_the_same_text_at_once_is_asked_for_by_those_who_run(
    client: httpx.AsyncClient,
) -> None:
    plays(Pause(0.2), *say("x"))
    await asyncio.gather(*(client.post(PATH, json={"text": "Good day"}) for _ in range(9)))
    assert asks() == 3


async def test_too_many_are_told_when_to_come_again(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(translation, "MAX_WAITING", 1)
    plays(Pause(0.3), *say("x"))
    answers = await asyncio.gather(
        *(client.post(PATH, json={"text": f"Text {'x' * n}"}) for n in range(5))
    )
    assert sorted(one.status_code for one in answers) == [200, 200, 200, 200, 429]
    refused = next(one for one in answers if one.status_code == 429)
    assert refused.json()["code"] == "queue_full" and "VENOM_" not in refused.json()["fix"]
    assert refused.headers["retry-after"]


@pytest.mark.parametrize("path", [PATH, STREAM])
async def test_a_client_that_leaves_closes_the_upstream(tmp_path: Path, path: str) -> None:
    venom = venom_over(Settings.load(Paths.at(tmp_path), {}))
    plays(*say("a")[:1], Pause(forever=True))
    async with client_served(create_app(venom)) as client:
        asking = asyncio.create_task(client.post(path, json={"text": "Good day"}))
        await until(lambda: scripted.SEEN.running == 1)
        asking.cancel()
        await until(lambda: scripted.SEEN.running == 0)
        assert scripted.SEEN.closed == 1
        plays(*say("x", usage=Usage(1, 1)))
        answers = [await client.post(PATH, json={"text": f"Text {n * 'x'}"}) for n in range(4)]
        assert [one.status_code for one in answers] == [200] * 4, "its place was not given back"


async def test_who_would_translate_is_told_and_nothing_is_counted(
    client: httpx.AsyncClient,
) -> None:
    told = (await client.get(PATH, params={"target_lang": "pl", "source_lang": "de"})).json()
    assert told["languages"] == ["pl", "en", "de"]
    assert (told["model"], told["locality"], told["refusal"]) == ("scripted://m", "local", None)
    scripted.SCRIPTS["m"] = Script(say("x"), Model("m", "folder", languages=("en",)))
    await client.get("/api/v1/models")
    german = {"target_lang": "de", "source_lang": "pl"}
    refused = (await client.get(PATH, params=german, headers={"Accept-Language": "pl"})).json()
    assert refused["model"] is None
    assert refused["refusal"]["code"] == "model_not_capable"
    assert "nie" in refused["refusal"]["message"]
    assert (await client.get(PATH, params={"target_lang": "xx"})).status_code == 400
    assert asks() == 0
    used = (await client.get("/api/v1/usage/summary")).json()["totals"]
    assert (used["requests"], used["refused"]) == (0, 0)


async def test_the_stream_begins_with_what_stays_as_it_is(client: httpx.AsyncClient) -> None:
    says("Witaj ⟦1⟧, zobacz ⟦2⟧")
    text = "Hello {name}, see https://example.org"
    events = events_of((await client.post(STREAM, json={"text": text})).text)
    assert events[0] == ("start", {"protected": ["{name}", "https://example.org"]})
