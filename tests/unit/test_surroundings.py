"""Damaged surroundings: something around Venom is broken; what stands is served all the same."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from importlib_metadata import Distribution

from tests.unit.cli.processes import venom as venom_command
from venom_core.api import security
from venom_core.cli import checks
from venom_core.cli.main import run_command
from venom_core.composition import Venom
from venom_core.plugins.discovery import scan
from venom_core.sdk import programs
from venom_core.sdk.errors import InvalidRequest, StorageError
from venom_core.settings.key_file import read_key_file
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.store import sessions
from venom_core.store.database import open_database
from venom_core.store.keys import KeyRepository
from venom_core.store.sessions import Message, Owner, SessionRepository
from venom_core.testing.staging import client_of
from venom_core.usecases.legacy import read_original


def keys_of(venom: Venom) -> KeyRepository:
    venom.settings.paths.make(venom.settings.paths.home)
    return KeyRepository(open_database(venom.settings.paths.store_file))


def remove_store(venom: Venom) -> None:
    for file in venom.settings.paths.store_file.parent.glob("venom.db*"):
        file.unlink()


def replace_store(venom: Venom) -> None:
    remove_store(venom)
    open_database(venom.settings.paths.store_file).dispose()


@pytest.fixture
def venom(tmp_path: Path) -> Venom:
    return Venom(Settings.load(Paths.at(tmp_path / "home"), {}))


@pytest.mark.parametrize("asked_before", [True, False])
@pytest.mark.parametrize("lose", [remove_store, replace_store])
async def test_keys_that_are_lost_open_nothing(
    venom: Venom, monkeypatch: pytest.MonkeyPatch, asked_before: bool, lose
) -> None:
    monkeypatch.setattr(security, "KEYS_FRESH_SECONDS", -1.0)
    keys_of(venom).create("laptop")
    async with client_of(venom) as client:
        if asked_before:
            assert (await client.get("/v1/models")).status_code == 401
        lose(venom)
        for path in ("/v1/models", "/api/v1/plugins", "/api/v1/sessions"):
            assert (await client.get(path)).status_code == 401, path
        # The fix that is told: a new key, in the store that is there now.
        key, _ = keys_of(venom).create("again")
        headers = {"Authorization": f"Bearer {key}"}
        assert (await client.get("/v1/models", headers=headers)).status_code == 200


async def test_the_last_key_revoked_opens_and_says_so(
    venom: Venom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "KEYS_FRESH_SECONDS", -1.0)
    _, record = keys_of(venom).create("laptop")
    async with client_of(venom) as client:
        assert (await client.get("/v1/models")).status_code == 401
        keys_of(venom).revoke(record.id)
        assert (await client.get("/v1/models")).status_code == 200


def test_one_key_fills_its_own_room_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_OWNER_BYTES", 20_000)
    repository = SessionRepository(open_database(tmp_path / "venom.db"))
    greedy, modest = Owner("greedy"), Owner("modest")
    written = 0
    with contextlib.suppress(InvalidRequest):
        for number in range(1000):
            repository.create(greedy, f"s{number}", "", [Message("user", "ż" * 1000)])
            written += 2000
    assert 0 < written < 20_000
    with pytest.raises(InvalidRequest) as refused:
        repository.create(greedy, "more", "", [Message("user", "x" * 5000)])
    assert refused.value.code == "sessions_full"
    repository.create(modest, "s", "", [Message("user", "x" * 5000)])
    for session in repository.list(greedy, 100):  # the fix
        repository.delete(greedy, session.id)
    repository.create(greedy, "more", "", [Message("user", "x" * 5000)])


def test_empty_sessions_take_room_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_OWNER_BYTES", 3_000)
    repository = SessionRepository(open_database(tmp_path / "venom.db"))
    with pytest.raises(InvalidRequest):
        for number in range(100):
            repository.create(Owner("k"), f"s{number}", "")


#: What lies in a folder of sys.path: a folder of metadata -> its files, as bytes.
DAMAGED: dict[str, dict[str, bytes]] = {
    "-1.0.dist-info": {},
    "nothing-1.0.dist-info": {},
    "empty-1.0.dist-info": {"METADATA": b""},
    "latin-1.0.dist-info": {"METADATA": b"Name: latin\nVersion: 1.0\nAuthor: Jos\xe9\n"},
    "utf16-1.0.dist-info": {"METADATA": b"\xff\xfeN\x00a\x00", "entry_points.txt": b"\xff\xfe["},
    "noise-1.0.dist-info": {"entry_points.txt": b"nonsense\n[[[\n", "METADATA": b"Name: noise\n"},
    "accent-1.0.dist-info": {"entry_points.txt": b"[console_scripts]\nx = \xe9\n"},
    "old-1.0.egg-info": {"PKG-INFO": b"Name: old\nVersion: 1\n"},
}
ENTRY = b"[venom.providers.v1]\nscripted = venom_core.testing.scripted\n"
HEAD = b"Metadata-Version: 2.1\nName: venom-acme\nVersion: 2.0\n"
#: Metadata of the one plugin that must be found, beside what else has its name.
PLUGINS: dict[str, dict[str, dict[str, bytes]]] = {
    "as it should be": {},
    "an author in Latin-1": {
        "venom_acme-2.0.dist-info": {"METADATA": HEAD + b"Author: Jos\xe9\n"}
    },
    "a comment in Latin-1": {
        "venom_acme-2.0.dist-info": {"entry_points.txt": b"# Jos\xe9\n" + ENTRY}
    },
    "a byte order mark": {
        "venom_acme-2.0.dist-info": {"entry_points.txt": b"\xef\xbb\xbf" + ENTRY}
    },
    "an older one beside it": {
        "venom_acme-1.0.dist-info": {"METADATA": HEAD.replace(b"2.0", b"1.0")}
    },
    "an empty one beside it": {"venom_acme-1.0.dist-info": {}},
    "a newer one that is damaged": {"venom_acme-3.0.dist-info": {"METADATA": b""}},
}  # fmt: skip


def lay(folder: Path, metadata: dict[str, dict[str, bytes]]) -> None:
    for name, files in metadata.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for file, data in files.items():
            (folder / name / file).write_bytes(data)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("name", PLUGINS)
def test_no_metadata_hides_a_plugin(tmp_path: Path, name: str, backwards: bool) -> None:
    lay(tmp_path, DAMAGED)
    lay(tmp_path, {"venom_acme-2.0.dist-info": {"METADATA": HEAD, "entry_points.txt": ENTRY}})
    lay(tmp_path, PLUGINS[name])

    def installed() -> list[Distribution]:
        there = list(Distribution.discover(path=[str(tmp_path)]))
        return there[::-1] if backwards else there  # a folder's order is nobody's promise

    found = scan(installed).found
    assert [(one.id, one.distribution, one.version) for one in found] == [
        ("scripted", "venom-acme", "2.0")
    ]


@pytest.mark.parametrize(
    "arguments",
    [("--version",), ("plugins", "--json"), ("doctor",), ("list",), ("plugins", "install", "onnx")],
)
def test_no_metadata_stops_a_command(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    lay(tmp_path / "site", DAMAGED)
    done = run(tmp_path, *arguments, PYTHONPATH=str(tmp_path / "site"))
    assert "internal_error" not in done.stdout + done.stderr, done.stderr
    if arguments[0] != "plugins" or "--json" in arguments:
        assert done.returncode in (0, 1), done.stderr


def run(tmp_path: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return venom_command(tmp_path / "home", *arguments, **env)


ENCODINGS = {
    "plain": lambda text: text.encode(),
    "a mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "Windows lines": lambda text: text.replace("\n", "\r\n").encode(),
    "PowerShell's": lambda text: b"\xff\xfe" + text.replace("\n", "\r\n").encode("utf-16-le"),
    "big-endian": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "no mark": lambda text: text.encode("utf-16-le"),
    "UTF-32": lambda text: b"\xff\xfe\0\0" + text.encode("utf-32-le"),
}
KEY = "k" * 32


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("written", [f"{KEY}\n", f'"{KEY}"\n', f"# mine\n\n  '{KEY}'  \n", KEY])
def test_a_key_is_read_however_its_file_was_written(
    tmp_path: Path, name: str, written: str
) -> None:
    file = tmp_path / "keys"
    file.write_bytes(ENCODINGS[name](written))
    assert read_key_file(file) == (KEY,)


#: What a key file holds -> what the refusal says of it.
NO_KEYS = {
    "nothing": (b"", "There is no key in"),
    "a comment": (b"# only a word\n", "There is no key in"),
    "a short one": (b"short\n", "Line 1 of the key file {file} is shorter than 16 characters."),
    "a short one below": (b"# mine\n\n" + KEY.encode() + b"\nshort\n", "Line 4 of the key file"),
    "a picture": (b"\xff\xd8\xff" * 20, "Line 1 of the key file {file} is not UTF-8 text."),
    "Latin-1": (
        KEY.encode() + b"\r\n" + b"\xe9" * 20,
        "Line 2 of the key file {file} is not UTF-8",
    ),
}


@pytest.mark.parametrize("name", NO_KEYS)
def test_what_holds_no_key_lets_nobody_in(tmp_path: Path, name: str) -> None:
    data, said = NO_KEYS[name]
    file = tmp_path / "keys"
    file.write_bytes(data)
    with pytest.raises(StorageError) as refused:
        read_key_file(file)
    assert said.format(file=file) in refused.value.message
    assert str(file) in refused.value.fix and "openssl rand -hex 32" in refused.value.fix
    # The fix is done: the line that it names, or the file, holds a key.
    lines = data.decode("utf-8", "replace").splitlines()
    if line := re.search(r"line (\d+) of", refused.value.fix):
        lines[int(line[1]) - 1] = KEY
        file.write_text("\n".join(lines))
    else:
        file.write_text(KEY)
    assert KEY in read_key_file(file)


def test_a_comment_may_be_in_any_encoding(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_bytes(b"# klucz J\xf3zefa\n" + KEY.encode())
    assert read_key_file(file) == (KEY,)


@pytest.mark.parametrize("name", ENCODINGS)
def test_settings_are_read_and_changed_however_they_were_written(tmp_path: Path, name: str) -> None:
    paths = Paths.at(tmp_path)
    paths.config_file.write_bytes(ENCODINGS[name]("# zażółć\n[server]\nport = 4711\n"))
    settings = Settings.load(paths, {})
    assert settings.core.port == 4711
    settings.set_plugin_disabled("acme", True)
    again = Settings.load(paths, {})
    assert (again.core.port, again.core.plugins_disabled) == (4711, ("acme",))
    assert "# zażółć" in paths.config_file.read_text(encoding="utf-8")


@pytest.mark.parametrize("value", ["4711", '"4711"', "'4711'", "4711\r", ' "4711"\r'])
def test_a_variable_is_read_as_an_env_file_left_it(tmp_path: Path, value: str) -> None:
    assert Settings.load(Paths.at(tmp_path), {"VENOM_PORT": value}).core.port == 4711


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_originals_env_is_read_however_it_was_written(tmp_path: Path, name: str) -> None:
    (tmp_path / ".env").write_bytes(ENCODINGS[name]("OLLAMA_MODEL='gemma3:4b'\nOTHER=1\n"))
    values = read_original(tmp_path).values
    assert values == {"OLLAMA_MODEL": "gemma3:4b", "OTHER": "1"}


LINE = "# caf\u00e9"
#: A file of which the third line is no UTF-8, as other editors leave it.
FOREIGN = {
    "Latin-1": f"[server]\nport = 4711\n{LINE}\n".encode("latin-1"),
    "Latin-1 with Windows lines": f"[server]\r\nport = 4711\r\n{LINE}\r\n".encode("latin-1"),
    "Latin-1 behind a mark": b"\xef\xbb\xbf" + f"[server]\nport = 4711\n{LINE}\n".encode("latin-1"),
}


@pytest.mark.parametrize("arguments", [("doctor", "--json"), ("config", "show"), ("list",)])
@pytest.mark.parametrize("name", FOREIGN)
def test_settings_in_another_encoding_stop_nothing_and_are_told_by_file_and_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    name: str, arguments: tuple[str, ...],
) -> None:  # fmt: skip
    paths = Paths.at(tmp_path)
    monkeypatch.setenv("VENOM_HOME", str(tmp_path))
    paths.config_file.write_bytes(FOREIGN[name])
    code = run_command(list(arguments))
    told = "".join(capfd.readouterr())
    assert "internal_error" not in told
    assert (code == 0) is (arguments[0] != "doctor")
    if arguments[0] != "list":
        assert f"{paths.config_file} is not UTF-8 text at line 3 (byte 0xE9)." in told
    if arguments[0] == "doctor":
        assert f"Save {paths.config_file} as UTF-8" in told
    if arguments[0] == "doctor":  # it goes on all the same
        assert {"store", "server"} <= {one["name"] for one in json.loads(told)["findings"]}
    # The fix is done.
    text = paths.config_file.read_bytes().decode("latin-1").removeprefix("\u00ef\u00bb\u00bf")
    paths.config_file.write_text(text, encoding="utf-8")
    assert Settings.load(paths, {}).core.port == 4711


def test_utf_16_that_breaks_off_is_refused_by_its_line(tmp_path: Path) -> None:
    paths = Paths.at(tmp_path)
    paths.config_file.write_bytes("[server]\nport = 1\n".encode("utf-16")[:-1])
    problem = Settings.load(paths, {}).problem
    assert problem is not None
    assert "is not UTF-16 text at line 2 (byte 0x0A)" in problem.message


def test_doctor_reads_the_key_file_and_says_what_is_wrong_with_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys"
    monkeypatch.setenv("VENOM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VENOM_API_KEY_FILE", str(file))
    for written, level in ((None, "problem"), (b"\xe9" * 20, "problem"), (KEY.encode(), "ok")):
        if written is not None:
            file.write_bytes(written)
        run_command(["doctor", "--json"])
        found = json.loads(capfd.readouterr().out)["findings"]
        (finding,) = [one for one in found if one["name"] == "key file"]
        assert finding["level"] == level and KEY not in finding["message"]
        assert finding["code"] == (None if level == "ok" else "key_file_unreadable")


def test_the_originals_env_is_refused_by_its_line_where_a_value_is_no_text(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_bytes("# J\u00f3zef\nOTHER=1\nMODEL_DIR=/home/Jos\u00e9\n".encode("latin-1"))
    with pytest.raises(InvalidRequest) as refused:
        read_original(tmp_path)
    assert refused.value.message == f"{env} is not UTF-8 text at line 3."
    env.write_text(env.read_bytes().decode("latin-1"), encoding="utf-8")  # the fix
    assert read_original(tmp_path).values["MODEL_DIR"] == "/home/Jos\u00e9"


@pytest.mark.parametrize("name", ENCODINGS)
def test_an_exported_conversation_is_imported_however_it_was_written(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """PowerShell's ``>`` writes UTF-16."""
    monkeypatch.setenv("VENOM_HOME", str(tmp_path / "home"))
    paths = Paths.resolve()
    paths.make(paths.home)
    repository = SessionRepository(open_database(paths.store_file))
    made = repository.create(Owner(""), "s", "za\u017c\u00f3\u0142\u0107", [Message("user", "hi")])
    assert run_command(["sessions", "export", made.id]) == 0
    file = tmp_path / "talk.json"
    file.write_bytes(ENCODINGS[name](capfd.readouterr().out))
    assert run_command(["sessions", "import", str(file)]) == 0
    assert "Imported 1 messages" in capfd.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="the programs of the table are scripts")
@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("#!/bin/sh\nexit 0\n", None),
        ("#!/bin/sh\nexit 9\n", None),  # it runs, and has something to say
        ("#!/bin/sh\nexit 127\n", "exit code 127"),
        ("#!/bin/sh\nexit 126\n", "exit code 126"),
        ("#!/nowhere/python\n", "No such file or directory"),
    ],
)
def test_doctor_says_of_a_program_that_it_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, fault: str | None
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert checks.check_graphics() is None
    program = tmp_path / "nvidia-smi"
    program.write_text(script)
    program.chmod(0o755)
    finding = checks.check_graphics()
    assert finding is not None and not finding.failed
    assert (finding.level == "ok") is (fault is None)
    assert fault is None or f"{program} does not start ({fault})" in finding.message
    program.unlink()  # the fix: off PATH
    assert checks.check_graphics() is None


def test_a_program_that_takes_its_time_does_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "SECONDS", 0.01)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    program = tmp_path / "slow"
    program.write_text("#!/bin/sh\nexec sleep 30\n")
    program.chmod(0o755)
    assert programs.look_for("slow").starts


def test_no_program_gets_our_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    program = tmp_path / "curious"
    program.write_text(f"#!/bin/sh\nenv > {tmp_path}/seen\n")
    program.chmod(0o755)
    assert programs.look_for("curious").starts
    assert "hf_secret" not in (tmp_path / "seen").read_text()
