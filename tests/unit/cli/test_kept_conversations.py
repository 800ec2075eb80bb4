"""One store of conversations: `venom run` keeps and goes on with those of page and API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.usecases.test_doors import House, restage
from venom_core.cli.exit_codes import ExitCode
from venom_core.store.database import open_database
from venom_core.store.keys import KeyRepository
from venom_core.store.sessions import Message, Owner, SessionRepository
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, say

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True, params=["here", "server"])
def house(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    """A data directory, once alone and once with a server of this user."""
    restage()
    made = House(tmp_path / "home", monkeypatch)
    if request.param == "here":
        yield made
    else:
        with made.server() as url:
            made.url = url  # type: ignore[attr-defined]
            yield made


@pytest.fixture
def ask(cli) -> Ask:
    def run(*arguments: str) -> dict[str, Any]:
        done = cli("run", *arguments, "--json")
        assert done.code == 0, done.err
        return dict(json.loads(done.out))

    return run


def stored(house: House) -> SessionRepository:
    return SessionRepository(open_database(house.paths.store_file))


def told() -> list[tuple[str, str]]:
    """The messages of the last request that a model got."""
    return [(one["role"], one["content"]) for one in scripted.SEEN.requests[-1].body["messages"]]


def test_one_question_is_a_session_of_the_local_user(ask: Ask, house: House) -> None:
    identifier = ask("city", "What is the capital?")["session_id"]
    [session] = stored(house).list(Owner(""), 9)
    assert (session.id, session.title, session.messages) == (identifier, "What is the capital?", 2)
    _, (question, answer) = stored(house).read(Owner(""), identifier)
    assert (answer.content, answer.model) == ("Warsaw", "scripted://city")
    assert answer.parent_message_id == question.id
    assert answer.details is not None and answer.details["finish_reason"] == "stop"


def test_c_goes_on_with_the_last_and_its_model(ask: Ask, house: House) -> None:
    other = ask("city", "An older one")["session_id"]
    first = ask("town", "What is the capital?")["session_id"]
    again = ask("-c", "And its river?")
    assert (again["session_id"], again["model"]) == (first, "town")
    assert [content for _, content in told()] == [
        "What is the capital?", "Warsaw", "And its river?",
    ]  # fmt: skip
    whole = stored(house).read(Owner(""), first)[1]
    assert [one.parent_message_id for one in whole] == [None, *(one.id for one in whole[:-1])]
    assert stored(house).get(Owner(""), other).messages == 2


def test_a_pinned_session_is_not_the_last_one(ask: Ask, house: House) -> None:
    pinned = ask("city", "Pinned")["session_id"]
    last = ask("city", "Later")["session_id"]
    stored(house).change(Owner(""), pinned, pinned=True)
    assert ask("-c", "And?")["session_id"] == last


def test_a_session_by_its_id_or_its_first_letters(ask: Ask, house: House, cli) -> None:
    first = ask("city", "One")["session_id"]
    ask("city", "Two")
    for start in (first, first[:8]):
        assert ask("--session", start, "More")["session_id"] == first
    assert stored(house).get(Owner(""), first).messages == 6
    refused = cli("run", "--session", "nobody", "More")
    assert (refused.code, "session_not_found" in refused.err) == (ExitCode.NOT_FOUND, True)
    both = cli("run", "--session", first, "-c", "More")
    assert both.code == ExitCode.USAGE


def test_letters_of_several_are_refused(cli, house: House) -> None:
    for name in ("same-1", "same-2"):
        stored(house).create(Owner(""), name, name, [Message("user", "x")])
    for command in (("run", "--session", "same", "x"), ("sessions", "show", "same")):
        refused = cli(*command)
        assert (refused.code, "session_ambiguous" in refused.err) == (ExitCode.CONFLICT, True)


def test_no_save_leaves_nothing(ask: Ask, house: House) -> None:
    assert ask("--no-save", "city", "A secret")["session_id"] is None
    first = ask("city", "Known")["session_id"]
    assert ask("-c", "--no-save", "And a secret")["session_id"] is None
    assert told()[0] == ("user", "Known")
    assert stored(house).get(Owner(""), first).messages == 2


def test_nothing_to_go_on_with(cli) -> None:
    refused = cli("run", "-c", "More")
    assert (refused.code, "session_not_found" in refused.err) == (ExitCode.NOT_FOUND, True)


def test_the_system_message_begins_the_session(ask: Ask, house: House) -> None:
    first = ask("--system", "Be brief.", "city", "One")["session_id"]
    ask("-c", "Two")
    assert told()[0] == ("system", "Be brief.")
    roles = [one.role for one in stored(house).read(Owner(""), first)[1]]
    assert roles == ["system", "user", "assistant", "user", "assistant"]
    ask("-c", "--system", "Be long.", "Three")
    assert [one for one in told() if one[0] == "system"] == [("system", "Be long.")]


def test_an_answer_that_breaks_off_is_not_kept(cli, house: House) -> None:
    scripted.SCRIPTS["city"] = Script((*say("half")[:1], RuntimeError("gone")))
    assert cli("run", "city", "One").code != 0
    found = stored(house).list(Owner(""), 9) if house.paths.store_file.exists() else []
    assert not found


def test_a_session_of_another_key_is_not_gone_on_with(cli, house: House) -> None:
    stored(house).create(Owner("aaaa"), "theirs", "Theirs", [Message("user", "x")])
    assert cli("run", "-c", "More").code == ExitCode.NOT_FOUND
    assert cli("run", "--session", "theirs", "More").code == ExitCode.NOT_FOUND


@pytest.mark.parametrize("house", ["server"], indirect=True)
def test_what_the_api_made_goes_on_here_and_back(ask: Ask, house: House, cli) -> None:
    url = house.url  # type: ignore[attr-defined]
    headers = {"Authorization": f"Bearer {house.token}"}
    body = {"content": "My name is Jan.", "session_id": "talk", "model": "city"}
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        assert "done" in client.post("/api/v1/llm/simple/stream", json=body).text
        assert ask("-c", "What is my name?")["session_id"] == "talk"
        whole = client.get("/api/v1/sessions/talk").json()
    assert [one["content"] for one in whole["messages"]] == [
        "My name is Jan.", "Warsaw", "What is my name?", "Warsaw",
    ]  # fmt: skip
    assert "What is my name?" in cli("sessions", "show", "talk").out


def test_rename(ask: Ask, house: House, cli) -> None:
    first = ask("city", "One")["session_id"]
    told = json.loads(cli("sessions", "rename", first[:8], "Zażółć", "--json").out)
    assert (told["session"]["id"], told["session"]["title"]) == (first, "Zażółć")
    assert "Zażółć" in cli("sessions").out
    assert cli("sessions", "rename", first, "").code == ExitCode.USAGE
    assert cli("sessions", "rename", "nobody", "x").code == ExitCode.NOT_FOUND


def test_the_owner_is_told_as_local(ask: Ask, house: House, cli) -> None:
    ask("city", "One")
    assert cli("sessions").out.splitlines()[1].split()[-1] == "local"
    assert json.loads(cli("sessions", "--json").out)["sessions"][0]["key_id"] == ""


def test_keys_do_not_change_whose_it_is(ask: Ask, house: House) -> None:
    KeyRepository(open_database(house.paths.store_file)).create("team")
    first = ask("city", "One")["session_id"]
    assert stored(house).get(Owner(""), first).key_id == ""


def test_an_answer_that_failed_is_not_told_to_the_model(ask: Ask, house: House) -> None:
    first = ask("city", "One")["session_id"]
    store = stored(house)
    last = store.read(Owner(""), first)[1][-1]
    asked = Message("user", "Two", last.id)
    store.add(Owner(""), first, "", [asked, Message("assistant", "", asked.id, "scripted://city")])
    ask("-c", "Three")
    assert [content for _, content in told()] == ["One", "Warsaw", "Three"]
