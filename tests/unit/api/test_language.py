"""The language of answers: negotiation, sentences in Polish, and what must stay as it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic_core import PydanticKnownError

from tests.unit.api.conftest import MakeVenom
from venom_core._version import __version__
from venom_core.api import language as answers
from venom_core.api.language import in_language, negotiated
from venom_core.language import polish as language
from venom_core.language.polish import polish
from venom_core.plugins import discovery
from venom_core.plugins.discovery import Found, Scan
from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.frames import Answer, Choice, Chunk
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing import scripted
from venom_core.testing.deadlines import patience
from venom_core.testing.scripted import Script, say
from venom_core.testing.staging import SCRIPTED, client_of, venom_over

PL = {"Accept-Language": "pl"}
HI = {"messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("", "en"),
        ("pl", "pl"),
        ("PL-pl", "pl"),
        ("pl-PL,pl;q=0.9,en-US;q=0.8,en;q=0.7", "pl"),
        ("en-US,en;q=0.9,pl;q=0.8", "en"),
        ("en;q=0.2, pl ; q=0.3", "pl"),
        ("de,pl;q=0.1", "pl"),
        ("de", "en"),
        ("*", "en"),
        ("en;q=0,*", "pl"),
        ("pl;q=0", "en"),
        ("pl;q=0,*", "en"),
        ("pl;q=2", "en"),
        ("pl;q=high", "en"),
        ("plx", "en"),
        (";;,=,pl;q", "en"),
        ("pl\xa0", "en"),
        ("x" * 50_000 + ",pl", "pl"),
    ],
)
def test_negotiation(header: str, chosen: str) -> None:
    assert negotiated(header) == chosen


@pytest.mark.parametrize(
    ("english", "said"),
    [
        ("Try again.", "Spróbuj ponownie."),
        ("There is no key 'k 1'.", "Nie ma klucza 'k 1'."),
        ("The model 'a. b' is not installed.", "Model 'a. b' nie jest zainstalowany."),
        (
            "The model 'a' is not installed. The engine is still loading the model.",
            "Model 'a' nie jest zainstalowany. Silnik jeszcze wczytuje model.",
        ),
        (
            "The upstream server answered 500. It says: There is no key",
            "Serwer nadrzędny odpowiedział 500. Mówi: There is no key",
        ),
        (
            "What was fetched for m is not what it should be: its sha256 differs. It was removed.",
            "To, co pobrano dla m, nie jest tym, czym powinno: różni się sha256. Zostało usunięte.",
        ),
        # A hole's words stay, though they are words of the catalogue: a model may be called so.
        ("There is no plugin none.", "Nie ma wtyczki none."),
        # Where the Polish says so, they are put into Polish too.
        ("There is no provider x; loaded: none.", "Nie ma dostawcy x; wczytani: brak."),
        ("fits into the 3 GB free now", "mieści się w 3 GB wolnej pamięci"),
        ("Nobody wrote this one.", "Nobody wrote this one."),
        ("", ""),
    ],
)
def test_sentences(english: str, said: str) -> None:
    assert polish(english) == said


def test_only_words_for_people_change() -> None:
    record = {
        "code": "none", "message": "Try again.", "param": "none", "docs": "/docs/errors#none",
        "deep": [{"fix": "Simplify it.", "name": "Try again."}], "reason": None, "load_ms": 2.5,
    }  # fmt: skip
    assert in_language(record, "en") is record
    assert in_language(record, "pl") == {
        **record,
        "message": "Spróbuj ponownie.",
        "docs": "/docs/pl/errors#none",
        "deep": [{"fix": "Uprość go.", "name": "Try again."}],
    }


@pytest.mark.parametrize(
    ("method", "path", "code", "english", "said"),
    [
        ("GET", "/api/v1/x", "not_found", "There is no such route.", "Nie ma takiej ścieżki."),
        ("POST", "/api/v1/plugins/acme/retry", "plugin_not_found", "There is no plugin acme.",
         "Nie ma wtyczki acme."),
        ("GET", "/v1/models/x", "model_not_found", "The model 'x' is not installed.",
         "Model 'x' nie jest zainstalowany."),
        ("DELETE", "/api/v1/models/x", "model_not_found", "The model 'x' is not installed.",
         "Model 'x' nie jest zainstalowany."),
        ("POST", "/v1/nothing", "not_found", "There is no such route.", "Nie ma takiej ścieżki."),
    ],
)  # fmt: skip
async def test_refusals(
    client: httpx.AsyncClient, method: str, path: str, code: str, english: str, said: str
) -> None:
    for asked, sentence, answered in (
        (None, english, "en"), ("pl", said, "pl"), ("de", english, "en"), ("\xff;q", english, "en")
    ):  # fmt: skip
        headers = {"Accept-Language": asked.encode("latin-1")} if asked else {}
        response = await client.request(method, path, headers=headers)
        body = response.json()
        record = body.get("error", body)
        # Where clients show only a message, the fix is its end.
        fix = f" {record['fix']}" if "message" in record else ""
        assert record.get("message", record.get("detail")) == sentence + fix
        assert record["code"] == code
        assert record["docs"].startswith("/docs/pl/" if answered == "pl" else "/docs/errors")
        assert response.headers["content-language"] == answered
        assert "Accept-Language" in response.headers["vary"]


@pytest.mark.parametrize(
    ("kind", "context", "said"),
    [
        ("missing", None, "to pole jest wymagane"),
        ("extra_forbidden", None, "nie ma takiego pola"),
        ("string_type", None, "ma być tekstem"),
        ("int_type", None, "ma być liczbą całkowitą"),
        ("int_parsing", None, "ma być liczbą całkowitą, a nie da się jej odczytać z tekstu"),
        ("int_from_float", None, "ma być liczbą całkowitą, a ma część ułamkową"),
        ("float_type", None, "ma być liczbą"),
        ("float_parsing", None, "ma być liczbą, a nie da się jej odczytać z tekstu"),
        ("finite_number", None, "ma być liczbą skończoną"),
        ("bool_type", None, "ma być true albo false"),
        ("bool_parsing", None, "ma być true albo false"),
        ("list_type", None, "ma być listą"),
        ("dict_type", None, "ma być obiektem"),
        ("model_attributes_type", None, "ma być obiektem"),
        ("greater_than", {"gt": 1}, "ma być większe niż 1"),
        ("greater_than_equal", {"ge": 1}, "ma być co najmniej 1"),
        ("less_than", {"lt": 1}, "ma być mniejsze niż 1"),
        ("less_than_equal", {"le": 1}, "ma być co najwyżej 1"),
        ("literal_error", {"expected": "'a' or 'b'"}, "ma być: 'a' or 'b'"),
        ("string_too_short", {"min_length": 1}, "ma mieć co najmniej 1 znak"),
        ("string_too_short", {"min_length": 5}, "ma mieć co najmniej 5 znaków"),
        ("string_too_long", {"max_length": 9}, "ma mieć co najwyżej 9 znaków"),
        ("string_pattern_mismatch", {"pattern": "^a$"}, "ma pasować do wzorca '^a$'"),
        ("too_short", {"field_type": "List", "min_length": 1, "actual_length": 0},
         "lista ma mieć co najmniej 1 element, a ma 0"),
        ("too_short", {"field_type": "List", "min_length": 5, "actual_length": 0},
         "lista ma mieć co najmniej 5 elementów, a ma 0"),
        ("too_long", {"field_type": "List", "max_length": 1, "actual_length": 2},
         "lista ma mieć co najwyżej 1 element, a ma 2"),
        ("too_long", {"field_type": "List", "max_length": 5, "actual_length": 6},
         "lista ma mieć co najwyżej 5 elementów, a ma 6"),
        ("json_invalid", {"error": "EOF"}, "niepoprawny JSON: EOF"),
    ],
)  # fmt: skip
def test_what_pydantic_says(kind: Any, context: dict[str, Any] | None, said: str) -> None:
    words = PydanticKnownError(kind, context).message()
    assert polish(f"messages[0].content: {words}.") == f"messages[0].content: {said}."
    assert polish(f"The body: {words}.") == f"Treść żądania: {said}."


async def test_a_wrong_field(client: httpx.AsyncClient) -> None:
    body = {"model": "m", **HI, "temperature": "hot"}
    wire = await client.post("/v1/chat/completions", json=body, headers=PL)
    assert wire.json()["error"]["message"].startswith("temperature: ma być liczbą. Popraw")
    assert wire.json()["error"]["param"] == "temperature"


async def test_a_wrong_key_and_a_foreign_host(make_venom: MakeVenom, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("k" * 32)
    async with client_of(make_venom(VENOM_API_KEY_FILE=str(key_file))) as client:
        response = await client.get("/v1/models", headers=PL)
        assert response.status_code == 401
        said = response.json()["error"]["message"]
        assert said.startswith("Ten serwer wymaga klucza API. Wyślij go")
        response = await client.get("/v1/models", headers={**PL, "Host": "evil.example"})
        assert response.json()["error"]["code"] == "host_not_allowed"
        assert response.headers["content-language"] == "pl"


async def test_records(client: httpx.AsyncClient) -> None:
    """Records that the page shows beside errors: the overview, plugins, models, readiness."""
    overview = await client.get("/api/v1/overview", headers=PL)
    assert overview.json()["default_model_reason"] == "Nie ma zainstalowanego modelu do rozmowy."
    disabled = await client.post("/api/v1/plugins/scripted/disable", headers=PL)
    assert disabled.json()["message"] == "scripted – wyłączono."
    listed = await client.get("/api/v1/plugins", headers=PL)
    assert listed.json()["plugins"][0]["reason"] == {
        "code": "disabled_by_user",
        "message": "Wtyczka scripted jest wyłączona.",
        "fix": "venom plugins enable scripted",
        "docs": "/docs/pl/plugins/states#disabled_by_user",
    }
    ready = await client.get("/readyz", headers=PL)
    for response in (overview, listed, disabled, ready):
        assert response.headers["content-language"] == "pl"
        assert response.headers["vary"] == "Accept-Language"


async def test_what_a_provider_proposes_and_what_that_needs(tmp_path: Path) -> None:
    nowhere = {"VENOM_OLLAMA__BASE_URL": "http://127.0.0.1:9"}
    settings = Settings.load(Paths.at(tmp_path / "home"), nowhere)
    ollama = Found(
        "ollama", "venom_ollama.plugin", "v1", "venom-ollama", __version__, "first_party"
    )
    async with client_of(venom_over(settings, (SCRIPTED, ollama))) as client:
        polish = (await client.get("/api/v1/overview", headers=PL)).json()["suggestions"]
        english = (await client.get("/api/v1/overview")).json()["suggestions"]
    first = polish[0]
    assert first["reason"].startswith("Wymaga Ollamy")
    assert first["summary"].startswith("Do codziennej pracy")
    assert first["fit_message"].startswith(("mieści się", "nie mieści się"))
    assert english[0]["reason"].startswith("Needs Ollama")
    assert [found["name"] for found in english] == ["gemma3:4b", "gemma3:1b"], "each once"
    assert english[0]["command"] == "venom run gemma3:4b"


@pytest.mark.parametrize("theme", ["light", "dark", "system"])
async def test_the_page_is_told_its_theme(make_venom: MakeVenom, theme: str) -> None:
    async with client_of(make_venom(UI_THEME_DEFAULT=theme)) as client:
        assert (await client.get("/api/v1/overview")).json()["theme"] == theme


async def test_an_install_that_fails(client: httpx.AsyncClient) -> None:
    """Its sentence is kept as it was said, and told in the language of whoever asks."""
    scripted.PULLS["m"] = [UpstreamError("The upstream server answered 500.", fix="Try again.")]
    begun = await client.post("/api/v1/models/install", json={"name": "scripted://m"})
    path = f"/api/v1/models/operations/{begun.json()['operation_id']}"
    async with asyncio.timeout(patience(10)):
        while (told := await client.get(path, headers=PL)).json()["operation"]["error"] is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert told.json()["operation"]["error"] == "Serwer nadrzędny odpowiedział 500."
    assert told.headers["content-language"] == "pl"
    assert "answered 500" in (await client.get(path)).text


async def test_a_catalogue_of_a_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A third party's sentences; what is wrong in its file costs that line only."""
    package = tmp_path / "venom_acme"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    (package / language.CATALOGUE).write_text(
        '"{0} is tired." = "{0} ma dość."\n"{0} a" = "{1}"\n"{9} b" = "{9}"\nc = 5\n'
        '"There is no key {0}." = "kradzione {0}"\n',
        encoding="utf-8",
    )
    broken = tmp_path / "venom_broken"
    broken.mkdir()
    (broken / language.CATALOGUE).write_text("= =")
    found = tuple(
        Found(name, f"{name}.plugin", "v1", name, "1", "third_party")
        for name in ("venom_acme", "venom_broken", "venom_absent")
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(discovery, "scan", lambda: Scan("1", found))
    language._catalogue.cache_clear()
    language._polish.cache_clear()
    assert polish("Acme is tired.") == "Acme ma dość."
    assert polish("There is no key k.") == "Nie ma klucza k."
    assert [polish("x a"), polish("c"), polish("x b")] == ["x a", "c", "x b"]


async def test_a_plugin_that_comes_beside_a_running_server_speaks_polish(
    make_venom: MakeVenom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = Found("acme", "venom_late.plugin", "v1", "venom_late", "1", "third_party")
    folder = tmp_path / "venom_late"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / language.CATALOGUE).write_text('"It came late." = "Przyszło późno."\n')
    venom = make_venom()
    async with client_of(venom):
        assert polish("It came late.") == "It came late."
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setattr(discovery, "scan", lambda: Scan("1", (acme,)))
        venom.host.observe(ObservedEvent("plugin.state", {"plugin": "acme"}))
        assert polish("It came late.") == "Przyszło późno."


@pytest.fixture(autouse=True)
def read_anew() -> Iterator[None]:
    catalogue = language._catalogue
    yield
    catalogue.cache_clear()
    language._polish.cache_clear()


async def test_english_reads_no_catalogue(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read() -> Any:
        raise AssertionError("a catalogue was read")

    monkeypatch.setattr(language, "_catalogue", read)
    assert (await client.get("/api/v1/nothing")).status_code == 404
    assert (await client.get("/api/v1/overview")).status_code == 200


async def test_an_answer_asks_for_no_language(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way of a good answer under ``/v1`` does no work for languages."""
    scripted.SCRIPTS["m"] = Script(say("hello"))
    asked: list[str] = []
    monkeypatch.setattr(answers, "negotiated", lambda header: asked.append(header) or "en")
    response = await client.post(
        "/v1/chat/completions", json={"model": "m", "stream": True, **HI}, headers=PL
    )
    assert response.status_code == 200
    assert asked == []


async def test_a_fault_after_the_first_token(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script([*say("hello")[:1], UpstreamError("The engine failed.")])
    for headers, sentence in (({}, "The engine failed."), (PL, "Silnik zawiódł.")):
        response = await client.post(
            "/v1/chat/completions", json={"model": "m", "stream": True, **HI}, headers=headers
        )
        *_, last, done, _ = response.text.split("\n\n")
        assert json.loads(last.removeprefix("data: "))["error"]["message"].startswith(sentence)
        assert done == "data: [DONE]"


@pytest.mark.parametrize(("asked", "said"), [({}, "Try again."), (PL, "Spróbuj ponownie.")])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", HI),
        ("/v1/chat/completions", {**HI, "stream": True}),
        ("/v1/completions", {"prompt": "hi"}),
        ("/v1/completions", {"prompt": "hi", "stream": True}),
        ("/api/v1/llm/simple/stream", {"content": "hi"}),
    ],
)
async def test_why_an_answer_ended(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], asked: dict[str, str], said: str
) -> None:
    """Its other words are the model's, and stay."""
    choice = Choice(content="Try again.", finish_reason="length", finish_note="Try again.")
    whole = path.startswith("/v1") and "stream" not in body
    scripted.SCRIPTS["m"] = Script([Answer((choice,)) if whole else Chunk((choice,))])
    answered = await client.post(path, json={"model": "m", **body}, headers=asked)
    text = answered.content.decode("unicode-escape" if "simple" in path else "utf-8")
    assert f'"finish_note":"{said}"' in text.replace('": "', '":"')
    assert text.count("Try again.") == 1 + (not asked)
