from __future__ import annotations

import multiprocessing
import threading
import tomllib
from pathlib import Path

import filelock
import pytest

from tests.unit.settings.specs import PLACES, acme
from venom_core.sdk.errors import Conflict, InvalidRequest, VenomError
from venom_core.sdk.spec import Setting
from venom_core.settings import changes
from venom_core.settings.backups import KEPT, folder, list_backups
from venom_core.settings.core import CORE_SETTINGS
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths

SPEC = acme(
    Setting("host", "url", "http://127.0.0.1:1", "Where.", env_aliases=("ACME_HOST",)),
    Setting("slots", "int", 2, "How many.", minimum=1, maximum=8),
    Setting("mode", "str", "fast", "Which way.", choices=("fast", "slow")),
    Setting("nodes", "list", (), "Several."),
    Setting("verbose", "bool", False, "Say more."),
)

COMMENTED = """\
# mine
[server]
port = 7  # why

# of the chat
[chat]
queue_size = 3
"""


def settings(
    tmp_path: Path, toml: str = "", env: dict[str, str] | None = None, **flags: object
) -> Settings:
    paths = Paths.at(tmp_path)
    if toml:
        paths.config_file.write_text(toml)
    return Settings.load(paths, env, flags)


def in_file(tmp_path: Path) -> dict:
    return tomllib.loads((tmp_path / "config.toml").read_text())


class TestChange:
    def test_is_written_and_counts_at_once(self, tmp_path):
        found = settings(tmp_path, COMMENTED)
        done = found.change({"chat.queue_size": 9, "ui.theme_default": "dark"})
        assert done.changed == ("chat.queue_size", "ui.theme_default")
        assert (found.core.queue_size, found.core.ui_theme_default) == (9, "dark")
        assert found.origin("ui.theme_default") == "file"
        again = settings(tmp_path)
        assert (again.core.queue_size, again.core.port) == (9, 7)

    def test_comments_and_the_order_stay(self, tmp_path):
        settings(tmp_path, COMMENTED).change({"chat.queue_size": 9})
        assert (tmp_path / "config.toml").read_text() == COMMENTED.replace("= 3", "= 9")

    def test_none_goes_back_to_the_default(self, tmp_path):
        found = settings(tmp_path, COMMENTED)
        assert found.change({"server.port": None}).changed == ("server.port",)
        assert (found.core.port, found.origin("port")) == (8366, "default")
        assert "port" not in in_file(tmp_path)["server"]

    def test_what_is_so_already_is_no_change(self, tmp_path):
        found = settings(tmp_path, COMMENTED)
        done = found.change({"server.port": 7, "chat.queue_timeout": None})
        assert (done.changed, done.backup) == ((), None)
        assert list_backups(found.paths) == []

    def test_a_setting_that_needs_a_restart_is_told_until_it_is_as_at_the_start(self, tmp_path):
        found = settings(tmp_path, COMMENTED)
        assert found.change({"server.port": 8}).restart_required == ("server.port",)
        later = found.change({"ui.theme_default": "dark"})
        assert later.restart_required == ("server.port",), "it still works with the old port"
        assert found.change({"server.port": 7}).restart_required == ()

    @pytest.mark.parametrize("part", CORE_SETTINGS, ids=lambda part: part.key)
    @pytest.mark.parametrize("as_text", [True, False])
    def test_every_setting_there_and_back(self, tmp_path, part, as_text):
        good = {"int": 2048, "float": 2.5, "list": ["x", "y"], "path": "/x", "bool": True}
        value = part.setting.choices[-1] if part.setting.choices else good.get(part.setting.type)
        value = 3 if part.name == "max_concurrent" else value or "x"
        if part.setting.type == "bool":
            value = not part.setting.default
        value = PLACES.get(part.name, value)
        text = ",".join(value) if isinstance(value, list) else str(value)
        found = settings(tmp_path)
        assert found.change({part.key: text if as_text else value}).changed == (part.key,)
        expected = tuple(value) if isinstance(value, list) else value
        assert getattr(found.core, part.name) == expected
        assert getattr(settings(tmp_path).core, part.name) == expected
        found.change({part.key: None})
        assert getattr(found.core, part.name) == part.setting.default
        assert found.core == settings(tmp_path).core

    def test_a_provider_s_settings(self, tmp_path):
        found = settings(tmp_path)
        key = "providers.acme-lab"
        found.change({f"{key}.slots": 3, f"{key}.nodes": "a,b", f"{key}.verbose": True}, [SPEC])
        assert in_file(tmp_path)["providers"]["acme-lab"] == {
            "slots": 3, "nodes": ["a", "b"], "verbose": True,
        }  # fmt: skip
        assert found.provider(SPEC).values["slots"] == 3

    def test_a_key_that_no_setting_knows_can_be_removed(self, tmp_path):
        found = settings(tmp_path, "[providers.gone]\nurl = 'x'\nkey = 'y'\n[odd]\na = 1\n")
        assert found.change({"providers.gone.url": None, "odd": None}).backup
        assert in_file(tmp_path) == {"providers": {"gone": {"key": "y"}}}


REFUSED = {
    "an unknown key": ({"server.prot": 1}, "unknown_setting", "server.port"),
    "a table": ({"server": 1}, "unknown_setting", ""),
    "an unknown key removed": ({"server.prot": None}, "unknown_setting", "server.port"),
    "an empty key": ({"": 1}, "unknown_setting", ""),
    "a key with a line end": ({"server.port\n": 1}, "unknown_setting", "server.port"),
    "a provider that is not there": ({"providers.gone.url": "x"}, "unknown_setting", ""),
    "below the bounds": ({"server.port": -1}, "invalid_setting", "server.port"),
    "above the bounds": ({"server.port": 65536}, "invalid_setting", "server.port"),
    "a truth value as a number": ({"server.port": True}, "invalid_setting", "server.port"),
    "a number as a truth value": ({"providers.acme-lab.verbose": 7}, "invalid_setting", "verbose"),
    "words as a number": ({"server.port": "http"}, "invalid_setting", "server.port"),
    "not a number": ({"chat.queue_timeout": float("nan")}, "invalid_setting", "queue_timeout"),
    "infinity": ({"chat.queue_timeout": float("inf")}, "invalid_setting", "queue_timeout"),
    "none of the choices": ({"server.log_level": "loud"}, "invalid_setting", "debug, info"),
    "an object": ({"server.host": {"a": 1}}, "invalid_setting", "server.host"),
    "a list as a text": ({"server.host": ["a"]}, "invalid_setting", "server.host"),
    "an empty text": ({"server.host": " "}, "invalid_setting", "server.host"),
    "a zero byte": ({"server.host": "a\0b"}, "invalid_setting", "server.host"),
    "half a surrogate": ({"server.host": "a\ud800"}, "invalid_setting", "server.host"),
    "numbers in a list": ({"server.allowed_hosts": [1]}, "invalid_setting", "allowed_hosts"),
    "no URL": ({"providers.acme-lab.host": "ftp://x"}, "invalid_setting", "http://"),
}


class TestRefusals:
    @pytest.mark.parametrize("case", REFUSED)
    def test_bad_input_is_refused_and_nothing_is_written(self, tmp_path, case):
        updates, code, word = REFUSED[case]
        found = settings(tmp_path, COMMENTED)
        with pytest.raises(InvalidRequest) as caught:
            found.change({"chat.queue_size": 9, **updates}, [SPEC])
        told = caught.value
        assert (told.code, told.param) == (code, next(iter(updates)))
        assert word in f"{told.message} {told.fix}"
        assert told.fix
        assert (tmp_path / "config.toml").read_text() == COMMENTED
        assert found.core.queue_size == 3
        assert list_backups(found.paths) == []

    def test_every_bad_key_is_named_at_once(self, tmp_path):
        found = settings(tmp_path, env={"VENOM_HOST": "::1"})
        bad = {"server.port": "x", "server.log_level": "loud", "no.such": 1, "server.host": "a"}
        with pytest.raises(InvalidRequest) as caught:
            found.change(bad)
        assert caught.value.code == "invalid_setting"
        assert all(key in caught.value.message for key in bad)
        assert all(key in (caught.value.param or "") for key in bad)

    @pytest.mark.parametrize(
        ("env", "flags", "key", "code", "word"),
        [
            ({"VENOM_PORT": "5"}, {}, "server.port", "set_by_environment", "VENOM_PORT"),
            ({"ACME_HOST": "h"}, {}, "providers.acme-lab.host", "set_by_environment", "ACME_HOST"),
            ({}, {"port": 5}, "server.port", "set_by_flag", "--port"),
            ({"VENOM_PORT": "5"}, {"port": 5}, "server.port", "set_by_flag", "--port"),
            ({}, {"runtime_profile": "full"}, "runtime.profile", "set_by_flag", "--profile"),
        ],
    )
    def test_a_higher_layer_is_named(self, tmp_path, env, flags, key, code, word):
        found = settings(tmp_path, env=env, **flags)
        before = found.core
        with pytest.raises(Conflict) as caught:
            found.change({key: None}, [SPEC])
        assert (caught.value.code, caught.value.param, caught.value.status) == (code, key, 409)
        assert word in caught.value.message
        assert found.core == before
        assert not (tmp_path / "config.toml").exists()

    def test_an_empty_variable_fixes_nothing(self, tmp_path):
        found = settings(tmp_path, env={"VENOM_PORT": ""})
        assert found.change({"server.port": 5}).changed == ("server.port",)

    def test_a_file_broken_meanwhile_is_left_alone(self, tmp_path):
        found = settings(tmp_path, COMMENTED)
        (tmp_path / "config.toml").write_text("[server\n")
        with pytest.raises(InvalidRequest) as caught:
            found.change({"server.port": 5})
        assert caught.value.code == "invalid_config_file"
        assert (tmp_path / "config.toml").read_text() == "[server\n"
        assert found.core.port == 7

    @pytest.mark.parametrize("toml", ["providers = 3\n", "[providers]\nacme-lab = 3\n"])
    def test_a_value_in_the_place_of_a_table(self, tmp_path, toml):
        found = settings(tmp_path)
        (tmp_path / "config.toml").write_text(toml)
        with pytest.raises(InvalidRequest) as caught:
            found.change({"providers.acme-lab.slots": 3}, [SPEC])
        assert caught.value.code == "invalid_setting"
        assert "must be a table" in caught.value.message
        assert (tmp_path / "config.toml").read_text() == toml


FORMS = {
    "inline": "server = {port = 1, host = 'x'}\n",
    "dotted": "server.port = 1\nserver.host = 'x'\n",
    "apart": "[server]\nport = 1\n[providers.acme-lab]\nslots = 2\n[chat]\nqueue_size = 1\n"
    "[providers.other]\na = 1\n",
    "CRLF": "[server]\r\nport = 1\r\n",
    "quoted": "['server']\n\"port\" = 1\n",
    "nothing but a comment": "# nothing yet",
}


@pytest.mark.parametrize("form", FORMS)
def test_however_the_file_is_written(tmp_path, form):
    (tmp_path / "config.toml").write_bytes(FORMS[form].encode())
    before = tomllib.loads(FORMS[form])
    found = settings(tmp_path)
    found.change({"server.port": 2, "providers.acme-lab.slots": 5}, [SPEC])
    after = in_file(tmp_path)
    assert after.pop("providers")["acme-lab"] == {"slots": 5}
    before.pop("providers", None)
    assert after == before | {"server": before.get("server", {}) | {"port": 2}}


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_bom_and_other_encodings(tmp_path, start, encoding):
    text = "# zażółć\n[server]\nport = 1\n"
    mark = start if encoding == "utf-8" else b"\xff\xfe"
    (tmp_path / "config.toml").write_bytes(mark + text.encode(encoding))
    settings(tmp_path).change({"server.port": 2})
    assert (tmp_path / "config.toml").read_bytes().decode() == text.replace("= 1", "= 2")


class TestBackups:
    def test_the_file_as_it_was(self, tmp_path):
        found = settings(tmp_path, COMMENTED)
        done = found.change({"server.port": 8})
        kept = folder(found.paths) / done.backup
        assert kept.read_text() == COMMENTED
        assert kept.stat().st_mode & 0o777 == 0o600

    def test_none_of_a_file_that_was_not_there(self, tmp_path):
        assert settings(tmp_path).change({"server.port": 8}).backup is None

    def test_their_number_is_bounded_and_the_newest_stay(self, tmp_path):
        found = settings(tmp_path, "[server]\nport = 1\n")
        names = [found.change({"server.port": port}).backup for port in range(2, KEPT + 10)]
        kept = [one.path.name for one in list_backups(found.paths)]
        assert kept == names[::-1][:KEPT]

    def test_the_order_is_not_the_clock_s(self, tmp_path, monkeypatch):
        found = settings(tmp_path, COMMENTED)
        first = found.change({"server.port": 1}).backup
        old = folder(found.paths) / first
        old.rename(old.with_name("config-000001-20991231T235959Z.toml"))
        found.change({"server.port": 2})
        newest = list_backups(found.paths)[0]
        assert "port = 1" in newest.path.read_text()

    def test_files_of_others_are_no_backups(self, tmp_path):
        found = settings(tmp_path, COMMENTED)
        done = found.change({"server.port": 1})
        for name in ("config-1.toml", "config-000009-20260101T000000Z.toml.bak", "x"):
            (folder(found.paths) / name).write_text("")
        (folder(found.paths) / "config-000010-20260101T000000Z.toml").symlink_to("/etc/passwd")
        assert [one.path.name for one in list_backups(found.paths)] == [done.backup]


def _write_many(home: str, key: str, count: int) -> None:
    """Change one key over and over; run in a process of its own."""
    found = Settings.load(Paths.at(Path(home)))
    for value in range(1, count + 1):
        found.change({key: value})


class TestTwoWriters:
    def test_processes_lose_no_update(self, tmp_path):
        keys = ("chat.queue_size", "usage.retention_days")
        spawn = multiprocessing.get_context("spawn")
        writers = [spawn.Process(target=_write_many, args=(str(tmp_path), k, 20)) for k in keys]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(60)
        assert [writer.exitcode for writer in writers] == [0, 0]
        assert in_file(tmp_path) == {"chat": {"queue_size": 20}, "usage": {"retention_days": 20}}

    def test_threads_lose_no_update(self, tmp_path):
        found = settings(tmp_path)
        names = [f"p{number}" for number in range(12)]
        threads = [
            threading.Thread(target=found.set_plugin_disabled, args=(name, True)) for name in names
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert set(in_file(tmp_path)["plugins"]["disabled"]) == set(names)

    def test_what_another_wrote_meanwhile_stays_and_counts(self, tmp_path):
        mine, other = settings(tmp_path), settings(tmp_path)
        other.change({"chat.queue_size": 5})
        mine.change({"ui.theme_default": "dark"})
        assert (mine.core.queue_size, mine.core.ui_theme_default) == (5, "dark")
        assert in_file(tmp_path) == {"chat": {"queue_size": 5}, "ui": {"theme_default": "dark"}}

    def test_one_that_does_not_end_is_not_waited_for_for_ever(self, tmp_path, monkeypatch):
        found = settings(tmp_path)
        lock = filelock.FileLock(found.paths.make(found.paths.run_dir) / "config.lock")
        with lock, pytest.raises(Conflict) as caught, changes.writing(found.paths, patience=0.05):
            pass
        assert caught.value.code == "config_busy"


def test_problems_are_told_without_a_change(tmp_path):
    found = settings(tmp_path, COMMENTED, {"VENOM_HOST": "::1"})
    told = found.problems({"server.port": 5, "server.host": "a", "server.prot": 1})
    assert {key: error.code for key, error in told.items()} == {
        "server.host": "set_by_environment",
        "server.prot": "unknown_setting",
    }
    assert all(isinstance(error, VenomError) for error in told.values())
    assert (tmp_path / "config.toml").read_text() == COMMENTED
