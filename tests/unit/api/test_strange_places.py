"""Numbers of strangers at every other door: files, records, the store, sessions, manifests.

Each row of a table is a place; each value is tried there. What cannot be counts as not given, is
said once, holds up nothing beside it, and what is shown is JSON.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import sqlite3
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from tests.unit.guards import guarded
from venom_core.chat.transcripts import imported, read_export
from venom_core.cli.connection.files import write_record
from venom_core.cli.connection.lock import holder_file, read_holder
from venom_core.cli.connection.server_file import find_server, server_file
from venom_core.cli.dates import spoken
from venom_core.plugins.validation import BadSpec, providers_of
from venom_core.sdk import numbers
from venom_core.sdk.architecture import MemoryPlan
from venom_core.sdk.engine_processes import reap
from venom_core.sdk.errors import InvalidRequest, StorageError, UpstreamError, restored
from venom_core.sdk.parameter_bounds import possible_parameters
from venom_core.sdk.process_identity import ProcessIdentity
from venom_core.sdk.provider import PullProgress
from venom_core.sdk.spec import Capability, EngineRequirement, Proposal, ProviderSpec, Setting
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.settings.values import convert
from venom_core.store.access import Store
from venom_core.store.audit import Actor
from venom_core.store.backup import MANIFEST, read_backup, restore_backup, write_backup
from venom_core.store.keys import KeyRights
from venom_core.store.operations import Operation
from venom_core.store.sessions import Message, Owner
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, say
from venom_core.testing.staging import client_of

HOSTILE: list[Any] = [
    10**30, -1, 2**63, math.nan, math.inf, "12", True, None, 1e308, [],
]  # fmt: skip
hostile = pytest.mark.parametrize("value", HOSTILE, ids=[repr(value)[:12] for value in HOSTILE])
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
#: Those that a JSON value may be, whatever it means; the others are left out of an object.
JSON_HAS = (-1, "12", True, None, 1e308, [])


@pytest.fixture(autouse=True)
def nothing_said() -> None:
    numbers._said.clear()


def read(answer: httpx.Response) -> Any:
    """The body as every reader of JSON understands it."""
    assert answer.status_code == 200, answer.text
    found = json.loads(answer.content, parse_constant=pytest.fail)
    assert not [n for n in whole_numbers(found) if abs(n) > numbers.MOST_EXACT]
    return found


def whole_numbers(value: Any) -> list[int]:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [number for item in inner for number in whole_numbers(item)]
    return [value] if type(value) is int else []


def is_kept(value: Any) -> bool:
    return any(type(value) is type(one) and value == one for one in JSON_HAS)


# -- sessions that come from elsewhere -----------------------------------------------------------


@hostile
async def test_details_of_a_conversation(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, value: Any
) -> None:
    details = {"odd": value, "deep": {"odd": [value, 7]}, "good": 7}
    exchange = {"question": "q", "answer": "a", "details": details}
    exported = {"id": "1", "role": "user", "content": "x", "details": details}
    session = {"format": "venom-session", "version": 1, "messages": [exported]}
    headers = {"Content-Type": "application/json"}
    sent = json.dumps(exchange).encode()
    answer = await client.post("/api/v1/sessions/s/messages", content=sent, headers=headers)
    assert read(answer)["success"]
    sent = json.dumps(session).encode()
    answer = await client.post("/api/v1/sessions/import", content=sent, headers=headers)
    made = read(answer)["session"]["id"]
    for name in ("s", made):
        for path in (f"/api/v1/sessions/{name}", f"/api/v1/sessions/{name}/export"):
            told = read(await client.get(path))["messages"][-1]["details"]
            assert ("odd" in told, told["good"]) == (is_kept(value), 7)
            assert told["deep"]["odd"] == [value if is_kept(value) else None, 7]
    said = [r for r in caplog.records if "counts as not given" in r.getMessage()]
    assert len(said) == (not is_kept(value))
    assert not [r for r in said if "odd" in r.getMessage()], "a client's words are not logged"


@hostile
def test_a_file_that_is_imported(value: Any) -> None:
    message = {"id": "1", "role": "user", "content": "x", "details": {"odd": value, "good": 7}}
    text = json.dumps({"format": "venom-session", "version": 1, "messages": [message]})
    (found,) = imported(read_export(text)).messages
    assert found.details is not None
    json.dumps(found.details, allow_nan=False)
    assert ("odd" in found.details, found.details["good"]) == (is_kept(value), 7)


# -- rows of the store ---------------------------------------------------------------------------

RAW = [
    "1" + "0" * 30, "-1", str(2**63), "NaN", "Infinity", "1e999", '"12"', "true", "null", "1e308",
    "[]", "{half", "'x'", "",
]  # fmt: skip


def spoil(file: Path, statement: str, *values: Any) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute(statement, values)
    connection.close()


@pytest.mark.parametrize("raw", RAW)
@pytest.mark.parametrize(
    "shape", ["{}", '{{"temperature": {}, "max_tokens": 5}}'], ids=["it", "in it"]
)
async def test_every_column_of_json(make_venom: MakeVenom, raw: str, shape: str) -> None:
    venom, spoilt = make_venom(), shape.format(raw)
    file = venom.settings.paths.store_file
    scripted.SCRIPTS["m"] = Script(say("x"))
    details = {"usage": {"odd": 1}}
    venom.store.sessions().create(Owner(""), "s", "t", [Message("user", "q", details=details)])
    venom.store.sessions().create(Owner(""), "other", "t", [Message("user", "whole")])
    venom.store.record_audit(Actor("k"), "a.b", "s", {"n": 1}, {"n": 2})
    spoil(file, "UPDATE messages SET details = ? WHERE details IS NOT NULL", spoilt)
    spoil(file, "UPDATE audit SET before = ?, after = ?", spoilt, spoilt)
    spoil(file, "INSERT INTO generation_overrides VALUES ('scripted', 'm', ?, 'x')", spoilt)
    async with client_of(venom) as client:
        for path in ("/api/v1/sessions/s", "/api/v1/sessions/other", "/api/v1/audit"):
            read(await client.get(path))
        first = read(await client.get("/api/v1/sessions/s"))["messages"][0]
        assert first["content"] == "q"
        assert first["details"] is None or isinstance(first["details"], dict)
        answer = await client.post("/v1/chat/completions", json={**CHAT, "stream": True})
        assert answer.status_code == 200, answer.text
        assert "[DONE]" in answer.text
        read(await client.get("/api/v1/models/m/config"))


@hostile
def test_a_stored_override_is_a_number_or_none(
    value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("temperature", "top_p", "presence_penalty", "max_tokens", "top_k", "seed"):
        found = possible_parameters({name: value, "min_p": 0.5}, "x")
        good = value is None or (value == -1 and name not in ("max_tokens",))
        assert found == ({name: value, "min_p": 0.5} if good else {"min_p": 0.5}), name
    assert possible_parameters({"stop": value}, "x") == (
        {"stop": value} if value in (None, []) and value is not True else {}
    )
    assert possible_parameters(value, "x") == {}


OPERATION = Operation("o", "install", "paused", "scripted", "m", "m", "text", "2026-11-01T00:00Z")


@pytest.mark.parametrize("column", ["progress", "bytes_done", "bytes_total"])
@pytest.mark.parametrize("raw", [str(10**30), "-1", str(2**63), "nan", "9e999", "abc", "1e308"])
async def test_a_stored_operation(make_venom: MakeVenom, column: str, raw: str) -> None:
    venom = make_venom()
    venom.store.operations().save(replace(OPERATION, status="failed", completed_at="x"))
    venom.store.operations().save(replace(OPERATION, id="p", status="failed", bytes_done=5))
    spoil(
        venom.settings.paths.store_file,
        f"UPDATE operations SET {column} = ?, error = '[1' WHERE id = 'o'",
        raw,
    )
    async with client_of(venom) as client:
        rows = read(await client.get("/api/v1/models/operations"))["operations"]
        found = {row["operation_id"]: row for row in rows}
        assert found["o"][column] == (None if column == "bytes_total" else 0)
        assert found["p"]["bytes_done"] == 5
    await venom.close()


@pytest.mark.parametrize("raw", ["{half", "7", "NaN", '"chat"', "[1]", "{}", ""])
@pytest.mark.parametrize("column", ["scopes", "models"])
def test_a_damaged_right_opens_nothing(tmp_path: Path, column: str, raw: str) -> None:
    store = Store(tmp_path / "venom.db")
    rights = KeyRights(scopes=("chat",), models=("m",))
    key, _ = store.keys().create("k", rights)
    other, _ = store.keys().create("o", rights)
    spoil(tmp_path / "venom.db", f"UPDATE api_keys SET {column} = ? WHERE name = 'k'", raw)
    found, whole = store.keys().verify(key), store.keys().verify(other)
    assert found is not None and whole is not None
    assert getattr(found.rights, column) == ()
    assert whole.rights == rights
    assert len(store.keys().list()) == 2
    store.close()


def test_a_hash_that_is_none_lets_nobody_in(tmp_path: Path) -> None:
    store = Store(tmp_path / "venom.db")
    key, _ = store.keys().create("k")
    spoil(tmp_path / "venom.db", "UPDATE api_keys SET sha256 = 'abc'")  # fmt: skip
    assert store.keys().verify(key) is None
    store.close()


# -- records of processes ------------------------------------------------------------------------


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.at(tmp_path)


def identity() -> dict[str, Any]:
    return ProcessIdentity.own().record()


@hostile
@pytest.mark.parametrize("field", ["pid", "started", "url"])
def test_a_servers_record(paths: Paths, field: str, value: Any) -> None:
    record = {**identity(), "url": "http://127.0.0.1:8366", "token": "t", "version": "1"}
    write_record(paths, server_file(paths), record)
    assert find_server(paths) is not None
    write_record(paths, server_file(paths), {**record, field: value})
    assert find_server(paths) is None


@pytest.mark.parametrize("port", ["99999", "-1", "0", "1e3", "9" * 5000, "x"])
def test_a_servers_port(paths: Paths, port: str) -> None:
    url = f"http://127.0.0.1:{port}"
    record = {**identity(), "url": url, "token": "t", "version": "1"}
    write_record(paths, server_file(paths), record)
    assert find_server(paths) is None


@hostile
@pytest.mark.parametrize("field", ["pid", "started"])
def test_the_record_of_the_lock(paths: Paths, field: str, value: Any) -> None:
    record = {**identity(), "command": "venom serve"}
    write_record(paths, holder_file(paths), record)
    assert read_holder(paths) is not None
    write_record(paths, holder_file(paths), {**record, field: value})
    assert read_holder(paths) is None


@hostile
@pytest.mark.parametrize("field", ["pid", "started"])
def test_a_bad_row_of_a_pid_file_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, value: Any
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(ProcessIdentity, "find", lambda self: seen.append(self.pid))
    file = tmp_path / "e.pid"
    rows = [{"pid": 4, "started": 1.0, field: value}, {"pid": 5, "started": 1.0}]
    file.write_text(json.dumps({"owner": {"pid": 3, "started": 1.0}, "processes": rows}))
    assert reap(file) is False
    assert seen == [3, 5]


@hostile
def test_an_owner_that_is_none_does_not_keep_its_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(ProcessIdentity, "find", lambda self: seen.append(self.pid))
    file = tmp_path / "e.pid"
    record = {"owner": {"pid": value, "started": 1}, "processes": [{"pid": 5, "started": 1}]}
    file.write_text(json.dumps(record))
    reap(file)
    assert seen == [5]


# -- a backup ------------------------------------------------------------------------------------


def rewritten(source: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    with zipfile.ZipFile(source) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(content[MANIFEST])
    change(manifest)
    content[MANIFEST] = json.dumps(manifest).encode()
    with zipfile.ZipFile(source, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return source


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    paths = Paths.at(tmp_path / "from")
    store = Store(paths.store_file)
    store.keys().create("k")
    store.close()
    write_backup(paths, tmp_path / "b.zip")
    return tmp_path / "b.zip"


@hostile
@pytest.mark.parametrize("field", ["format", "version", "created_at", "schema", "files"])
def test_the_manifest_of_a_backup(archive: Path, field: str, value: Any) -> None:
    rewritten(archive, lambda manifest: manifest.update({field: value}))
    if (field, value) == ("schema", None) or (field in ("version", "created_at") and value == "12"):
        read_backup(archive)  # a text as good as another
        return
    with pytest.raises((InvalidRequest, StorageError)) as raised:
        read_backup(archive)
    assert raised.value.code in ("backup_not_valid", "store_too_new")


@pytest.mark.parametrize("place", [16, 20, 24, 28, 30, 32, 34, 38, 42])
@pytest.mark.parametrize("number", [0, 1, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF])
def test_the_numbers_of_the_archive_itself(
    archive: Path, tmp_path: Path, place: int, number: int
) -> None:
    """Sizes, lengths and places in its own directory, the last of which is the manifest's."""
    data = bytearray(archive.read_bytes())
    at = data.index(b"PK\x01\x02")
    width = "<H" if place in (28, 30, 32, 34) else "<I"
    struct.pack_into(width, data, at + place, number & (0xFFFF if width == "<H" else 0xFFFFFFFF))
    archive.write_bytes(data)
    paths = Paths.at(tmp_path / "to")
    refusal: Exception | None = None
    try:
        restore_backup(paths, archive)
    except (InvalidRequest, StorageError) as error:
        refusal = error
    if refusal is None:  # not every number is looked at
        assert Store(paths.store_file).keys().list()[0].name == "k"
    assert paths.store_file.exists() is (refusal is None)


# -- manifests of plugins ------------------------------------------------------------------------

PLAN = MemoryPlan("e")


def spec(setting: dict[str, Any] | None = None, **changes: Any) -> ProviderSpec:
    given: dict[str, Any] = {
        "name": "acme", "title": "Acme", "summary": "One.", "factory": "acme:Acme",
        "capabilities": frozenset({Capability.CHAT}),
    }  # fmt: skip
    if setting is not None:
        given["settings"] = (
            Setting("slots", **{"type": "int", "default": 1, **setting}, help="x"),
        )
    return ProviderSpec(**given, **changes)


def proposal(**changes: Any) -> tuple[Proposal, ...]:
    return (replace(Proposal("m", "M", 5, "It is."), **changes),)


MANIFESTS: dict[str, tuple[Callable[[Any], ProviderSpec], tuple[Any, ...]]] = {
    "minimum": (lambda v: spec({"minimum": v, "default": None}), (-1, None)),
    "maximum": (lambda v: spec({"maximum": v, "default": None}), (-1, None)),
    "minimum of a float": (lambda v: spec({"type": "float", "minimum": v, "default": None}),
                           (-1, None)),
    "default": (lambda v: spec({"default": v}), (-1, None)),
    "size of the engine": (lambda v: spec(engine=EngineRequirement("m", "m", v)), (None,)),
    "size of a proposal": (lambda v: spec(proposals=proposal(size_bytes=v)), ()),
    "context": (lambda v: spec(proposals=proposal(memory_plan=replace(PLAN, context_length=v))),
                (None,)),
    "batch": (lambda v: spec(proposals=proposal(memory_plan=replace(PLAN, batch=v))), ()),
    "overhead": (lambda v: spec(proposals=proposal(memory_plan=replace(PLAN, overhead_bytes=v))),
                 (None,)),
    "architecture": (lambda v: spec(proposals=proposal(architecture=v)), (None,)),
    "memory plan": (lambda v: spec(proposals=proposal(memory_plan=v)), (None,)),
    "preference": (lambda v: spec(preference=v), ()),
}  # fmt: skip


@hostile
@pytest.mark.parametrize("place", MANIFESTS)
def test_the_numbers_of_a_manifest(place: str, value: Any) -> None:
    make, good = MANIFESTS[place]
    if any(type(value) is type(one) and value == one for one in good):
        assert providers_of([make(value)], "acme", "x")
        return
    with pytest.raises(BadSpec):
        providers_of([make(value)], "acme", "x")


def test_bounds_leave_a_value() -> None:
    with pytest.raises(BadSpec, match="leave no value"):
        providers_of([spec({"minimum": 5, "maximum": 4, "default": None})], "acme", "x")


# -- the environment -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [str(10**30), str(2**63), "nan", "inf", "-inf", "1e308", "9" * 5000, "[]", "True", "-1"]
)
def test_a_number_of_the_environment(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        Settings.load(Paths.at(tmp_path), {"VENOM_PORT": text})
    assert raised.value.code == "invalid_setting" and "VENOM_PORT" in raised.value.message
    open_ended = Setting("n", "int", None, "x")
    if text != "-1":
        with pytest.raises(InvalidRequest):
            convert(open_ended, text, "the variable N")
    if text in ("nan", "inf", "-inf", "[]"):
        with pytest.raises(InvalidRequest):
            convert(replace(open_ended, type="float"), text, "the variable N")


# -- what goes on --------------------------------------------------------------------------------


@hostile
async def test_a_total_that_is_less_than_what_has_come_is_none(value: Any) -> None:
    async def pull(ref: str) -> Any:
        yield PullProgress("pulling", "x", 10, 5)
        yield PullProgress("pulling", "x", 10, value)

    found = []
    is_declared = type(value) in (int, float, type(None))  # what is not breaks the law
    with contextlib.nullcontext() if is_declared else pytest.raises(UpstreamError):
        async for step in guarded(SimpleNamespace(pull=pull)).pull("m"):
            found.append((step.bytes_done, step.bytes_total))  # noqa: PERF401 -- what came first
    assert found == [(10, None)] * (2 if is_declared else 1)


@hostile
def test_the_status_and_the_wait_of_a_refusal_from_elsewhere(value: Any) -> None:
    error = restored({"code": "x", "message": "m", "status": value, "retry_after": value})
    assert 400 <= error.status < 600
    assert error.retry_after is None
    json.dumps(error.whole(), allow_nan=False)


@pytest.mark.parametrize(
    ("text", "found"),
    [("12", 12), ("0", 0), ("-1", None), (str(10**30), None), (str(2**63), None), ("nan", None),
     ("1e3", None), ("", None), (None, None), (12, None), ("9" * 5000, None), ("٣", None),
     ("²", None)],
)  # fmt: skip
def test_a_length_in_a_header(text: Any, found: int | None) -> None:
    assert numbers.digits(text, "x") == found


@pytest.mark.parametrize("moment", ["0001-01-01T00:00+23:59", "9999-12-31T23:59-23:59", "12", "x"])
def test_a_moment_of_no_calendar_is_shown_as_it_is(moment: str) -> None:
    assert isinstance(spoken(moment), str)


def test_what_is_said_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            numbers.plain({"a": 10**30, "b": math.nan}, "client", keys=False)
    assert len(caplog.records) == 1
    assert os.linesep not in caplog.text.strip()
