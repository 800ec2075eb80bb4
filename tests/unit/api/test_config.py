"""The settings through the API: shown, changed live, backed up, compared, restored."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.unit.api.test_plugin_settings import acme
from venom_core.plugins.discovery import Found
from venom_core.sdk.masking import MASK
from venom_core.settings.core import CORE_SETTINGS
from venom_core.settings.layers import Settings
from venom_core.store.keys import KeyRights, Scope
from venom_core.testing import stage
from venom_core.testing.staging import Stage

__all__ = ["acme"]  # used by being here

URL = "/api/v1/config"


async def post(one: Stage, updates: Any, status: int = 200) -> dict[str, Any]:
    answer = await one.client.post(f"{URL}/runtime", json={"updates": updates})
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def shown(one: Stage) -> dict[str, Any]:
    answer = await one.client.get(f"{URL}/runtime")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def file_of(one: Stage) -> Path:
    return one.venom.settings.paths.config_file


async def test_every_setting_by_its_name_with_its_field(tmp_path: Path, acme: Found) -> None:
    env = {"VENOM_QUEUE_SIZE": "5", "ACME_URL": "http://me:hunter22@h"}
    async with stage(acme, home=tmp_path, env=env) as one:
        found = await shown(one)
    assert found["status"] == "success" and found["success"] is True
    assert {part.env for part in CORE_SETTINGS} < set(found["config"])
    assert found["config"].keys() == found["config_sources"].keys() == found["schema"].keys()
    assert (found["config"]["VENOM_QUEUE_SIZE"], found["config_sources"]["VENOM_QUEUE_SIZE"]) == (
        5, "env",
    )  # fmt: skip
    assert found["config_sources"]["VENOM_PORT"] == "default"
    size = found["schema"]["VENOM_QUEUE_SIZE"]
    assert (size["key"], size["fixed_by"], size["secret"]) == (
        "chat.queue_size", "VENOM_QUEUE_SIZE", False,
    )  # fmt: skip
    assert (size["form"]["type"], size["form"]["minimum"]) == ("integer", 0)
    assert found["schema"]["VENOM_PORT"]["restart"] is True
    assert found["schema"]["UI_THEME_DEFAULT"]["restart"] is False
    url = found["schema"]["ACME_URL"]
    assert (url["provider"], url["env"], url["fixed_by"]) == ("acme", "VENOM_ACME__URL", "ACME_URL")
    assert found["config"]["ACME_URL"] == f"http://{MASK}@h"
    token = found["schema"]["VENOM_ACME__TOKEN"]
    assert token["secret"] is True and "default" not in token["form"]


async def test_a_change_counts_at_once_and_is_told(tmp_path: Path, acme: Found) -> None:
    async with stage(acme, home=tmp_path) as one:
        with one.venom.feed.watch({"settings"}) as events:
            done = await post(one, {"UI_THEME_DEFAULT": "dark", "server.port": 9000})
            event = await asyncio.wait_for(anext(events), 30)
        assert done["changed_keys"] == done["updated_keys"] == ["UI_THEME_DEFAULT", "VENOM_PORT"]
        assert done["restart_required"] == ["VENOM_PORT"]
        assert done["backup_path"] is None
        assert event is not None and event.data["keys"] == done["changed_keys"]
        assert one.venom.settings.core.ui_theme_default == "dark"
        overview = (await one.client.get("/api/v1/overview")).json()
        assert overview["theme"] == "dark"
        found = await shown(one)
        assert found["restart_required"] == ["VENOM_PORT"]
        assert found["config_sources"]["VENOM_PORT"] == "file"
        again = await post(one, {"UI_THEME_DEFAULT": "light"})
        assert text_of(again["backup_path"]) == (
            '[ui]\ntheme_default = "dark"\n\n[server]\nport = 9000\n'
        )
        trail = (await one.client.get("/api/v1/audit")).json()["entries"]
    assert [entry["action"] for entry in trail[:2]] == ["settings.changed"] * 2
    assert trail[0]["before"] == {"ui.theme_default": "dark"}
    assert trail[0]["after"] == {"ui.theme_default": "light"}


async def test_parts_that_keep_a_value_of_their_own_work_with_the_new_one(
    tmp_path: Path, acme: Found
) -> None:
    async with stage(acme, home=tmp_path) as one:
        done = await post(
            one,
            {
                "VENOM_PARAMETER_POLICY": "warn",
                "VENOM_DISK_LIMIT_GB": 7,
                "VENOM_USAGE_RETENTION_DAYS": 8,
                "VENOM_RUNTIME_PROFILE": "llm_off",
            },
        )
        assert done["restart_required"] == []
        assert one.venom.chat.limits.policy == "warn"
        assert one.venom.manager.disk_limit_bytes == 7_000_000_000
        assert one.venom.ledger.retention_days == 8
        assert one.venom.profile.name == "llm_off"


async def test_a_provider_works_with_its_new_settings(tmp_path: Path) -> None:
    from venom_core.testing import entry

    async with stage(entry("venom_ollama.plugin"), home=tmp_path) as one:
        await one.venom.host.load_all()
        asked: list[str] = []
        for address in ("http://127.0.0.1:9", "http://127.0.0.1:10"):
            await post(one, {"OLLAMA_HOST": address})
            health = await one.venom.host.health("ollama")
            asked.append(health.reason.message if health.reason else "")
    assert "127.0.0.1:9" in asked[0] and "127.0.0.1:10" in asked[1]


async def test_secrets_are_written_and_never_read(tmp_path: Path, acme: Found) -> None:
    async with stage(acme, home=tmp_path) as one:
        done = await post(one, {"providers.acme.token": "hunter22-secret"})
        assert done["changed_keys"] == ["VENOM_ACME__TOKEN"]
        found = await shown(one)
        assert found["config"]["VENOM_ACME__TOKEN"] == MASK
        await post(one, {"VENOM_ACME__TOKEN": found["config"]["VENOM_ACME__TOKEN"]})
        spec = one.venom.host.specs()["acme"]
        assert one.venom.settings.provider(spec).values["token"] == "hunter22-secret"
        texts = [
            json.dumps(found), json.dumps(done),
            (await one.client.get("/api/v1/audit")).text,
            (await one.client.get(f"{URL}/backups")).text,
            (await one.client.get(f"{URL}/differences")).text,
            (await one.client.get("/api/v1/plugins/acme/settings")).text,
        ]  # fmt: skip
        assert "hunter22" not in "".join(texts)
        assert not file_of(one).exists()
        everything = found["config"]
        assert (await post(one, everything))["changed_keys"] == []


def text_of(path: str | Path) -> str:
    return Path(path).read_text()


BAD: dict[str, tuple[Any, int, str, str]] = {
    "unknown": ({"VENOM_PROT": 1}, 400, "unknown_setting", "VENOM_PROT"),
    "a command of the original": ({"VLLM_START_COMMAND": "rm"}, 400, "unknown_setting", "VLLM"),
    "out of bounds": ({"VENOM_PORT": 99999}, 400, "invalid_setting", "VENOM_PORT"),
    "a truth value": ({"VENOM_PORT": True}, 400, "invalid_setting", "VENOM_PORT"),
    "no choice": ({"VENOM_LOG_LEVEL": "loud"}, 400, "invalid_setting", "VENOM_LOG_LEVEL"),
    "several": ({"VENOM_PORT": "x", "VENOM_PROT": 1}, 400, "invalid_setting", "VENOM_PROT"),
    "of the environment": ({"VENOM_QUEUE_SIZE": 6}, 409, "set_by_environment", "VENOM_QUEUE_SIZE"),
    "the same twice": ({"VENOM_PORT": 1, "server.port": 2}, 400, "invalid_setting", "server.port"),
    "an object": ({"VENOM_HOST": {"a": {}}}, 400, "invalid_setting", "VENOM_HOST"),
    "a long name": ({"x" * 500: 1}, 422, "invalid_request_error", "updates"),
    "no object": ([], 422, "invalid_request_error", "updates"),
}


@pytest.mark.parametrize("case", BAD)
async def test_bad_input_changes_nothing(tmp_path: Path, acme: Found, case: str) -> None:
    updates, status, code, named = BAD[case]
    async with stage(acme, home=tmp_path, env={"VENOM_QUEUE_SIZE": "5"}) as one:
        if isinstance(updates, dict):
            updates = {"UI_THEME_DEFAULT": "dark", **updates}
        told = await post(one, updates, status)
        assert told["code"] == code
        assert named in f"{told['detail']} {told['param']}"
        assert told["fix"] and told["docs"]
        assert not file_of(one).exists()
        assert one.venom.settings.core.ui_theme_default == "system"


async def test_each_of_several_is_told_by_itself(tmp_path: Path, acme: Found) -> None:
    async with stage(acme, home=tmp_path) as one:
        updates = {"VENOM_PORT": "x", "VENOM_LOG_LEVEL": "loud"}
        told = await post(one, updates, 400)
        assert [part["param"] for part in told["parts"]] == [*updates]
        assert told["detail"] == " ".join(part["message"] for part in told["parts"])
        assert "VENOM_LOG_LEVEL" not in told["parts"][0]["message"]
        polish = {"Accept-Language": "pl"}
        asked = {"updates": updates}
        answer = await one.client.post(f"{URL}/runtime", json=asked, headers=polish)
        said = answer.json()
        assert said["detail"] == " ".join(part["message"] for part in said["parts"])
        assert said["detail"] != told["detail"]
        assert "parts" not in await post(one, {"VENOM_PORT": "x"}, 400)


FOREIGN = (
    "../config.toml", "..", "/etc/passwd", "config.toml", "last-good.toml", "x" * 150, "a\\b",
    "config-000001-20260101T000000Z.toml\n", "config-999999-20260101T000000Z.toml",
)  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN, ids=repr)
async def test_a_foreign_file_is_not_restored(tmp_path: Path, acme: Found, name: str) -> None:
    async with stage(acme, home=tmp_path) as one:
        await post(one, {"server.port": 1})
        await post(one, {"server.port": 2})
        before = file_of(one).read_text()
        answer = await one.client.post(f"{URL}/restore", json={"backup_filename": name})
        assert (answer.status_code, answer.json()["code"]) == (404, "config_backup_not_found")
        compared = await one.client.get(f"{URL}/differences", params={"backup_filename": name})
        assert compared.status_code == 404
        assert file_of(one).read_text() == before


async def test_a_backup_is_listed_compared_and_restored(tmp_path: Path, acme: Found) -> None:
    async with stage(acme, home=tmp_path) as one:
        await post(one, {"server.port": 1})
        first = Path((await post(one, {"server.port": 2, "VENOM_HOST": "::1"}))["backup_path"])
        await post(one, {"server.port": 3})
        listed = (await one.client.get(f"{URL}/backups?limit=1")).json()
        assert listed["count"] == 1
        all_ = (await one.client.get(f"{URL}/backups")).json()["backups"]
        assert [one_["filename"] for one_ in all_][-1] == first.name
        assert all_[-1]["size_bytes"] == len(text_of(first))
        assert all_[-1]["created_at"].endswith("Z")
        query = {"backup_filename": first.name}
        told = (await one.client.get(f"{URL}/differences", params=query)).json()
        assert told["differences"] == [
            {"key": "server.port", "before": 1, "after": 3},
            {"key": "server.host", "before": None, "after": "::1"},
        ]
        done = await one.client.post(f"{URL}/restore", json=query)
        assert done.json()["changed_keys"] == ["VENOM_PORT", "VENOM_HOST"]
        assert tomllib.loads(file_of(one).read_text()) == {"server": {"port": 1}}
        assert one.venom.settings.core.port == 1
        assert text_of(done.json()["backup_path"]).count("port = 3") == 1


UNUSABLE = {"[[[": "invalid_config_file", "[server]\nport = -1\n": "invalid_setting"}


async def test_a_backup_that_cannot_be_used_is_refused(tmp_path: Path, acme: Found) -> None:
    async with stage(acme, home=tmp_path) as one:
        await post(one, {"server.port": 1})
        kept = Path((await post(one, {"server.port": 2}))["backup_path"])
        for text, code in UNUSABLE.items():
            await asyncio.to_thread(kept.write_text, text)
            answer = await one.client.post(f"{URL}/restore", json={"backup_filename": kept.name})
            assert (answer.status_code, answer.json()["code"]) == (400, code)
            assert kept.name in answer.json()["detail"]
        assert one.venom.settings.core.port == 2


async def test_a_broken_file_is_told_and_mended_by_a_restore(tmp_path: Path, acme: Found) -> None:
    async with stage(acme, home=tmp_path) as one:
        await post(one, {"server.port": 1})
        kept = Path((await post(one, {"server.port": 2}))["backup_path"])
        home = one.venom.settings.paths.home
    (home / "config.toml").write_text("what is this?")
    async with stage(acme, home=tmp_path) as one:
        assert one.venom.settings.paths.home == home
        found = await shown(one)
        assert found["config"]["VENOM_PORT"] == 2, "the last good file counts"
        assert "is not valid TOML" in found["warnings"][0]
        overview = (await one.client.get("/api/v1/overview")).json()
        assert overview["warnings"][0] == found["warnings"][0]
        assert (await post(one, {"server.port": 3}, 400))["code"] == "invalid_config_file"
        polish = await one.client.get(f"{URL}/runtime", headers={"Accept-Language": "pl"})
        assert "Liczy się ostatni dobry plik." in polish.json()["warnings"][0]
        query = {"backup_filename": kept.name}
        assert (await one.client.post(f"{URL}/restore", json=query)).status_code == 200
        assert (await shown(one))["warnings"] == []
        assert one.venom.settings.core.port == 1


COMMAND = """
import sys
import threading
from pathlib import Path
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths

settings = Settings.load(Paths.at(Path(sys.argv[1])))
for number in range(1, 21):
    settings.change({"chat.queue_size": number})
"""


async def test_two_clients_lose_no_update(tmp_path: Path, acme: Found) -> None:
    """A process of its own and the API change the same file, in turns as they come."""
    async with stage(acme, home=tmp_path) as one:
        home = one.venom.settings.paths.home
        home.mkdir(exist_ok=True)
        file_of(one).write_text("# mine\n")
        command = await asyncio.create_subprocess_exec(
            sys.executable, "-c", COMMAND, str(home), stderr=subprocess.PIPE
        )
        try:
            for number in range(1, 21):
                await post(one, {"VENOM_USAGE_RETENTION_DAYS": number})
            _, errors = await asyncio.wait_for(command.communicate(), 120)
        finally:
            if command.returncode is None:
                command.kill()
        assert (command.returncode, errors) == (0, b"")
        text = file_of(one).read_text()
        assert text.startswith("# mine\n")
        assert tomllib.loads(text) == {"chat": {"queue_size": 20}, "usage": {"retention_days": 20}}
        await post(one, {})  # reads what the other wrote last
        assert one.venom.settings.core.queue_size == 20


async def test_what_is_kept_from_the_start_is_kept_as_a_whole(tmp_path: Path, acme: Found) -> None:
    async with stage(acme, home=tmp_path) as one:
        done = await post(one, {"VENOM_PARAMETER_POLICY": "warn", "VENOM_ANSWER_TIMEOUT": 1200})
        limits = one.venom.chat.limits
    assert done["restart_required"] == ["VENOM_ANSWER_TIMEOUT"]
    assert (limits.policy, limits.answer_timeout) == ("warn", 600.0)


@pytest.mark.parametrize(("scope", "told"), [("admin", True), ("chat", False), ("models", False)])
async def test_what_names_files_is_told_to_who_may_administer(
    tmp_path: Path, acme: Found, scope: Scope, told: bool
) -> None:
    async with stage(acme, home=tmp_path) as one:
        home = one.venom.settings.paths.home
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text("what is this?")
    async with stage(acme, home=tmp_path) as one:
        key, _ = one.venom.store.keys().create("some", KeyRights((scope,)))
        headers = {"authorization": f"Bearer {key}"}
        overview = (await one.client.get("/api/v1/overview", headers=headers)).json()
    assert bool(overview["warnings"]) is told


async def test_a_start_waits_for_no_other_writer(
    tmp_path: Path, acme: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, kept = threading.Event(), []

    def keep_good(self: Settings) -> None:
        kept.append(free.wait(20))

    monkeypatch.setattr(Settings, "keep_good", keep_good)
    async with stage(acme, home=tmp_path) as one:
        assert (await one.client.get("/healthz")).status_code == 200
        assert kept == []
        free.set()
    assert kept == [True], "and its end is waited for"
