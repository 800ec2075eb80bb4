"""`venom sessions`: the store beside a running server, of every key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from venom_core.cli.exit_codes import ExitCode
from venom_core.settings.paths import Paths
from venom_core.store.database import open_database
from venom_core.store.sessions import Message, Owner, SessionRepository


@pytest.fixture
def store(paths: Paths) -> SessionRepository:
    """Two keys with a session of one id, and one without a key."""
    paths.make(paths.home)
    repository = SessionRepository(open_database(paths.store_file))
    for key in ("aaaa", "bbbb"):
        repository.create(Owner(key), "same", f"Of {key}")
    first = Message("user", "What is 100%?")
    answer = Message("assistant", "All of it.", first.id, "scripted://m")
    repository.create(Owner(), "mine", "Percent", [first, answer])
    return repository


def test_looking_makes_no_store(cli, paths: Paths) -> None:
    assert cli("sessions").out == "There are no conversations.\n"
    assert json.loads(cli("sessions", "list", "--json").out) == {"sessions": []}
    assert cli("sessions", "show", "x").code == ExitCode.NOT_FOUND
    assert cli("sessions", "rm", "x").code == ExitCode.NOT_FOUND
    assert not paths.store_file.exists()


def test_a_table_and_its_json(cli, store: SessionRepository) -> None:
    head, *rows = cli("sessions").out.splitlines()
    assert head.split() == ["ID", "TITLE", "MESSAGES", "CHANGED", "PINNED", "KEY"]
    assert [row.split()[0] for row in rows] == ["mine", "same", "same"]
    told = json.loads(cli("sessions", "--json").out)["sessions"]
    assert {one["key_id"] for one in told} == {"", "aaaa", "bbbb"}
    found = json.loads(cli("sessions", "list", "--search", "0%", "--json").out)["sessions"]
    assert [one["id"] for one in found] == ["mine"]
    assert len(json.loads(cli("sessions", "list", "--limit", "1", "--json").out)["sessions"]) == 1
    assert cli("sessions", "list", "--limit", "0").code == 2


def test_show(cli, store: SessionRepository) -> None:
    shown = cli("sessions", "show", "mine").out
    assert shown.startswith("# Percent\n") and "All of it." in shown
    assert len(json.loads(cli("sessions", "show", "mine", "--json").out)["messages"]) == 2
    assert cli("sessions", "show", "nobody").code == ExitCode.NOT_FOUND


def test_an_id_of_several_keys_needs_the_key(cli, store: SessionRepository) -> None:
    refused = cli("sessions", "rm", "same")
    assert (refused.code, "session_ambiguous" in refused.err) == (ExitCode.CONFLICT, True)
    assert cli("sessions", "rm", "same", "--key", "aaaa").out == "Removed same: Of aaaa\n"
    assert cli("sessions", "rm", "same").out == "Removed same: Of bbbb\n"
    assert cli("sessions", "rm", "same").code == ExitCode.NOT_FOUND


def test_an_export_comes_back(cli, store: SessionRepository, tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    assert cli("sessions", "export", "mine", "-o", str(file)).code == 0
    made = json.loads(cli("sessions", "import", str(file), "--json").out)["session"]
    assert made["id"] != "mine" and (made["title"], made["messages"]) == ("Percent", 2)
    assert "Imported 2 messages" in cli("sessions", "import", str(file)).out
    assert "All of it." in cli("sessions", "export", made["id"], "--format", "markdown").out


@pytest.mark.parametrize("text", [b"{", b"[]", b"\xff", b'{"messages": []}'])
def test_a_file_that_is_none(cli, tmp_path: Path, paths: Paths, text: bytes) -> None:
    (tmp_path / "x.json").write_bytes(text)
    refused = cli("sessions", "import", str(tmp_path / "x.json"))
    assert "invalid_session" in refused.err and refused.code != 0
    assert not paths.store_file.exists()
    assert cli("sessions", "import", str(tmp_path / "nothing.json")).code == 2
