"""One use case, however it is asked for: the same work, audit entry, event and answer.

Each change is made through the command line without a server, through the command line with one,
and through the API, each time over a new data directory.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import json
import os
import pkgutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import engines_plugin
from tests.served import served
from tests.stage import stage
from venom_core import usecases
from venom_core._version import __version__
from venom_core.api.app import create_app
from venom_core.cli.connection import local
from venom_core.cli.connection.server_file import ServerRecord, publish, withdraw
from venom_core.cli.main import run_command
from venom_core.composition import Venom
from venom_core.sdk.hookspecs import ObservedEvent, hookimpl
from venom_core.sdk.process_identity import ProcessIdentity
from venom_core.sdk.provider import BuildProgress, EngineStatus, Model, PullProgress
from venom_core.settings.backups import list_backups
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.store.access import Store
from venom_core.store.audit import AuditEntry
from venom_core.testing.deadlines import patience
from venom_core.testing.scripted import BUILDS, PULLS, SCRIPTS, Pause, Script, reset, say
from venom_core.testing.staging import SCRIPTED, venom_over
from venom_core.usecases.selftest import keeping

__all__ = ["stage"]  # used by being here

Json = dict[str, Any]
#: Differs from one run to the next.
CHANGING = {"operation_id", "started_at", "completed_at", "eta_seconds", "since", "created_at",
            "bytes_per_second", "updated_at", "tested_at", "id", "session_id", "expires_at", "key",
            "revoked_at", "backup_path"}  # fmt: skip
SAW_CHAT = {"group": "answers", "name": "chat", "outcome": "honoured"}
SESSION = {
    "format": "venom-session", "version": 1, "title": "Talk",
    "messages": [{"id": "a", "role": "user", "content": "secret words"}],
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """A state-changing use case and how each door is asked for it.

    Args:
        method: ``Class.method`` of the use case.
        subject: what the audit entry is about; of several entries each.
        first: changes that are made before, as command lines.
        command: the command line; None where no command does this.
        request: method, path and body of the API; None where no route does this. ``{id}`` is the
            operation or session that the changes before have made.
        actions: the audit's actions of the change itself.
        events: names of the events of the change itself.
    """

    method: str
    subject: str
    command: Sequence[str] | None
    request: tuple[str, str, Json | None] | None
    actions: Sequence[str]
    events: Sequence[str] = ()
    first: Sequence[Sequence[str]] = ()


CHANGES = (
    Change("ModelUseCases.use", "chat", ("use", "town"),
           ("POST", "/api/v1/models/switch", {"name": "town"}),
           ["model.activate"], ["model.activated"]),
    Change("ModelUseCases.activate", "chat", None,
           ("POST", "/api/v1/models/activate", {"name": "town", "runtime": "scripted"}),
           ["model.activate"], ["model.activated"]),
    Change("ModelUseCases.deactivate", "chat", ("use", "--none"),
           ("POST", "/api/v1/models/deactivate", {"role": "chat"}),
           ["model.activate"], ["model.deactivated"], first=[("use", "town")]),
    Change("ModelUseCases.load", "scripted://city", ("load", "city"),
           ("POST", "/api/v1/models/city/load", None), ["model.load"], ["model.loaded"]),
    Change("ModelUseCases.unload", "scripted://city", ("stop", "city"),
           ("POST", "/api/v1/models/city/unload", None), ["model.unload"], ["model.unloaded"]),
    Change("ModelUseCases.unload_all", "every provider", ("stop", "--all"),
           ("POST", "/api/v1/models/unload-all", None),
           ["model.unload_all"], ["model.unloaded", "model.unloaded"]),
    Change("ModelUseCases.remove", "scripted://city", ("rm", "city", "--yes"),
           ("DELETE", "/api/v1/models/city", None),
           ["model.remove"], ["model.removed"]),
    Change("ModelUseCases.configure", "scripted://city", ("set", "city", "temperature=0.5"),
           ("POST", "/api/v1/models/city/config", {"params": {"temperature": 0.5}}),
           ["model.configure"], ["model.configured"]),
    Change("SelfTestUseCases.keep", "scripted://city", None,
           ("POST", "/api/v1/models/city/selftest", {"rows": [SAW_CHAT]}), ["model.selftest"],
           ["model.tested"]),
    Change("ModelUseCases.set_alias", "fast", ("alias", "set", "fast", "city"),
           ("POST", "/api/v1/models/aliases", {"name": "fast", "target": "city"}),
           ["alias.set"], ["alias.set"]),
    Change("ModelUseCases.remove_alias", "fast", ("alias", "rm", "fast"),
           ("DELETE", "/api/v1/models/aliases/fast", None),
           ["alias.set"], ["alias.removed"], first=[("alias", "set", "fast", "city")]),
    Change("OperationUseCases.install", "scripted://new", ("pull", "scripted://new"),
           ("POST", "/api/v1/models/install", {"name": "scripted://new"}),
           ["model.install"], ["model.pulled"]),
    Change("OperationUseCases.build", "town", ("build", "script", "town"),
           ("POST", "/api/v1/models/script/build", {"model_name": "town"}),
           ["model.build"], ["model.built"]),
    Change("OperationUseCases.remove", "city", None,
           ("DELETE", "/api/v1/models/registry/city", None),
           ["model.remove"], ["model.removed"]),
    Change("OperationUseCases.change", "scripted://slow", ("operations", "cancel", "{id}"),
           ("POST", "/api/v1/models/operations/{id}/cancel", None),
           ["operation.cancel"], first=[("pause", "scripted://slow")]),
    Change("PluginUseCases.change", "scripted", ("plugins", "disable", "scripted"),
           ("POST", "/api/v1/plugins/scripted/disable", None),
           ["plugin.disable"], ["plugin.state"]),
    Change("ServiceUseCases.change", "played", ("services", "stop", "played"),
           ("POST", "/api/v1/runtime/played/stop", None),
           ["service.stop"], ["service.stopped"]),
    Change("LlmServerUseCases.change", "played", None,
           ("POST", "/api/v1/system/llm-servers/played/stop", None),
           ["service.stop"], ["service.stopped"]),
    Change("LlmServerUseCases.activate", "chat, scripted",
           ("services", "use", "scripted", "--model", "city"),
           ("POST", "/api/v1/system/llm-servers/active",
            {"server_name": "scripted", "model": "city"}),
           ["model.activate", "server.activate"], ["model.activated", "server.activated"],
           first=[("use", "town")]),
    Change("ProfileUseCases.switch", "full", ("profile", "use", "full"),
           ("POST", "/api/v1/runtime/profile/full", None),
           ["profile.switch"], ["profile.switched"]),
    Change("KeyUseCases.create", "an id", ("keys", "create", "laptop", "--scope", "chat"),
           ("POST", "/api/v1/keys", {"name": "laptop", "scopes": ["chat"]}), ["key.create"]),
    Change("KeyUseCases.revoke", "an id", ("keys", "revoke", "{id}"),
           ("DELETE", "/api/v1/keys/{id}", None), ["key.revoke"],
           first=[("keys", "create", "laptop")]),
    Change("SettingsUseCases.change", "VENOM_DISK_LIMIT_GB",
           ("config", "set", "models.disk_limit_gb", "60"),
           ("POST", "/api/v1/config/runtime", {"updates": {"VENOM_DISK_LIMIT_GB": 60}}),
           ["settings.changed"], ["settings.changed"]),
    Change("SettingsUseCases.restore", "VENOM_DISK_LIMIT_GB", ("config", "restore", "{backup}"),
           ("POST", "/api/v1/config/restore", {"backup_filename": "{backup}"}),
           ["settings.restored"], ["settings.restored"],
           first=[("config", "set", "models.disk_limit_gb", "60"),
                  ("config", "set", "models.disk_limit_gb", "70")]),
    Change("SessionUseCases.take_in", "an id", ("sessions", "import", "{file}"),
           ("POST", "/api/v1/sessions/import", SESSION), ["conversation.import"]),
    Change("SessionUseCases.delete", "an id", ("sessions", "rm", "{id}"),
           ("DELETE", "/api/v1/sessions/{id}", None),
           ["conversation.remove"], first=[("sessions", "import", "{file}")]),
    Change("UsageUseCases.erase", "local", ("usage", "erase", "--key", "local"),
           ("DELETE", "/api/v1/usage?key=local", None),
           ["usage.erase"], first=[("run", "city", "Say hello.")]),
)  # fmt: skip


@dataclass
class Outcome:
    """The outcome of a door: the audit's new entries, the new events, and the answer."""

    audit: list[Json]
    events: list[tuple[str, Json]]
    answer: Any = None


@dataclass
class Observer:
    """Keeps the events that tell of a change."""

    events: list[tuple[str, Json]] = field(default_factory=list)

    @hookimpl
    def venom_observe(self, event: ObservedEvent) -> None:
        loaded = event.name == "plugin.state" and event.data["state"] == "loaded"
        if event.name not in ("chat.finished", "provider.state", "request.refused") and not loaded:
            self.events.append((event.name, dict(event.data)))


class House:
    """A data directory, and every Venom that is made over it watched."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VENOM_HOME", str(home))
        monkeypatch.setattr(local, "make_venom", self.make)
        self.paths = Paths.at(home)
        self.observer = Observer()
        self.session = home.parent / f"{home.name}-talk.json"
        self.session.write_text(json.dumps(SESSION))

    def make(self) -> Venom:
        installed = [SCRIPTED, engines_plugin.ENTRY]
        venom = venom_over(Settings.load(self.paths, os.environ), installed)
        venom.host.add_observer("doors", self.observer)
        return venom

    def audit(self) -> list[AuditEntry]:
        return Store(self.paths.store_file).audit(200)[::-1]

    @contextlib.contextmanager
    def server(self) -> Iterator[str]:
        """A server in a thread, known to the commands of this user."""
        started, url = threading.Event(), []
        venom = self.make()

        async def serve() -> None:
            async with served(create_app(venom)) as base:
                url.append(base)
                self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
                started.set()
                await self._stop.wait()

        thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        thread.start()
        assert started.wait(patience(30))
        identity = ProcessIdentity.own()
        record = ServerRecord(
            identity.pid, identity.started, url[0], venom.local_token, __version__
        )
        publish(self.paths, record)
        try:
            self.token = venom.local_token
            yield url[0]
        finally:
            withdraw(self.paths, identity.pid)
            self._loop.call_soon_threadsafe(self._stop.set)
            thread.join(30)


def restage() -> None:
    reset()
    played = engines_plugin.reset()
    played.lives, played.engines = True, [EngineStatus("acme (org/m)", "running", "org/m")]
    for name in ("city", "town"):
        place = Path(__file__).parent if name == "town" else None
        model = Model(name, "folder", context_length=100, location=place)
        SCRIPTS[name] = Script(say("Warsaw"), model)
    BUILDS["scripted://town"] = [BuildProgress("completed", "built", 100)]
    PULLS["new"] = [PullProgress("completed", "ready", 1, 1)]
    PULLS["slow"] = [PullProgress("pulling", "Fetching", 1, 9), Pause(forever=True)]


def comparable(value: Any) -> Any:
    """JSON values without what differs from run to run."""
    if isinstance(value, Mapping):
        return {k: comparable(v) for k, v in value.items() if k not in CHANGING}
    if isinstance(value, list | tuple):
        return [comparable(item) for item in value]
    return value


class Door:
    """Makes the changes of one :class:`Change`; ``url`` is a server's where one runs."""

    def __init__(self, house: House, capfd: pytest.CaptureFixture[str], url: str | None) -> None:
        self._house, self._capfd, self._url = house, capfd, url

    def command(self, words: Sequence[str]) -> Any:
        if words[0] == "pause":
            return self._paused(words[1])
        filled = [self._filled(word) for word in words]
        self._capfd.readouterr()
        code = run_command([*filled, "--json"])
        out, err = self._capfd.readouterr()
        assert code == 0, (filled, out, err)
        self._settle()
        return json.loads(out)

    def request(self, method: str, path: str, body: Json | None) -> Any:
        headers = {"Authorization": f"Bearer {self._house.token}"}
        url = f"{self._url}{self._filled(path)}"
        if body is not None:
            filled = ((k, self._filled(v) if isinstance(v, str) else v) for k, v in body.items())
            body = dict(filled)
        answer = httpx.request(method, url, json=body, headers=headers, timeout=patience(60))
        assert answer.status_code == 200, answer.text
        self._settle()
        return answer.json()

    def _settle(self) -> None:
        """Events are told on the loop's next turn: another request comes behind it."""
        if self._url is not None:
            assert httpx.get(f"{self._url}/healthz", timeout=patience(60)).status_code == 200

    def _filled(self, word: str) -> str:
        if "{id}" in word:
            store = Store(self._house.paths.store_file)
            made = [one.id for one in store.operations().list(1)]
            made = made or [one.id for one in store.keys().list()]
            made = made or [one.id for one in store.sessions().list(_everybody(), 1)]
            return word.replace("{id}", made[0])
        if "{backup}" in word:
            backup = list_backups(self._house.paths)[0]
            return word.replace("{backup}", backup.path.name)
        return word.replace("{file}", str(self._house.session))

    def _paused(self, name: str) -> None:
        """An install that an earlier process has left, paused."""
        from venom_core.store.operations import Operation

        Store(self._house.paths.store_file).operations().save(
            Operation("op-1", "install", "paused", "scripted", "slow", name, "Paused",
                      "2026-11-01T00:00:00.000Z")
        )  # fmt: skip


def _subject(entry: AuditEntry) -> str:
    """Conversations and keys are named by an id of their own, others as people call them."""
    return "an id" if entry.action.startswith(("conversation.", "key.")) else entry.subject


def _everybody() -> Any:
    from venom_core.store.sessions import Owner

    return Owner(None)


def outcome(house: House, capfd: pytest.CaptureFixture[str], change: Change, way: str) -> Outcome:
    restage()
    with house.server() if way != "here" else contextlib.nullcontext() as url:
        door = Door(house, capfd, url)
        for words in change.first:
            door.command(words)
        audited, seen = len(house.audit()), len(house.observer.events)
        if way == "api":
            assert change.request is not None
            answer = door.request(*change.request)
            if change.method.startswith("OperationUseCases"):
                _wait_for_end(door, answer)
        else:
            assert change.command is not None
            answer = door.command(change.command)
    entries = [
        {"action": one.action, "subject": _subject(one), "key_id": one.key_id,
         "before": comparable(one.before), "after": comparable(one.after)}
        for one in house.audit()[audited:]
    ]  # fmt: skip
    events = [(name, comparable(data)) for name, data in house.observer.events[seen:]]
    return Outcome(entries, events, comparable(answer))


def _wait_for_end(door: Door, answer: Json) -> None:
    number = answer.get("operation_id") or answer["operation"]["operation_id"]
    for _ in range(600):
        status = door.request("GET", f"/api/v1/models/operations/{number}", None)
        if status["operation"]["status"] not in ("pending", "in_progress"):
            return
        threading.Event().wait(0.05)
    raise AssertionError("the operation did not end")


@pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.method)
def test_a_change_leaves_the_same_through_every_door(
    change: Change,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    ways = [
        *(["here", "server"] if change.command else []),
        *(["api"] if change.request else []),
    ]
    found = {way: outcome(House(tmp_path / way, monkeypatch), capfd, change, way) for way in ways}
    for way, one in found.items():
        assert [entry["action"] for entry in one.audit] == list(change.actions), way
        assert {entry["key_id"] for entry in one.audit} == {"local"}, way
        assert {entry["subject"] for entry in one.audit} == set(change.subject.split(", ")), way
        assert one.audit == found[ways[0]].audit, way
        assert [name for name, _ in one.events] == list(change.events), way
        assert one.events == found[ways[-1]].events, way
    if "server" in found:
        assert found["here"].answer == found["server"].answer


def test_every_use_case_that_changes_something_is_in_the_table() -> None:
    modules = [
        importlib.import_module(f"{usecases.__name__}.{module.name}")
        for module in pkgutil.iter_modules(usecases.__path__)
    ]
    kinds = {
        kind
        for module in [*modules, keeping]
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if name.endswith("UseCases")
    }
    changing = {
        f"{kind.__name__}.{name}"
        for kind in kinds
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") and "actor" in inspect.signature(method).parameters
    }
    assert changing == {change.method for change in CHANGES}


def test_nothing_that_was_said_is_in_the_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    house = House(tmp_path / "home", monkeypatch)
    door = Door(house, capfd, None)
    door.command(("sessions", "import", "{file}"))
    door.command(("sessions", "rm", "{id}"))
    told = json.dumps([one.record() for one in house.audit()])
    assert "secret words" not in told
    assert "Talk" not in told
