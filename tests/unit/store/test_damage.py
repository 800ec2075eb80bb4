"""A store that cannot be used says why, wherever it is opened; a backup comes back when it is
needed, and one that cannot be used changes nothing."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import exc

from tests.stage import stage
from tests.unit.api.conftest import MakeVenom, make_venom
from tests.unit.cli.conftest import Cli, _scripted_venom, cli, installed, paths
from tests.unit.cli.test_backup import keys_of, rewritten
from venom_core.sdk.disk import sha256_of
from venom_core.sdk.errors import StorageError
from venom_core.settings.paths import Paths
from venom_core.store import backup
from venom_core.store.access import Store
from venom_core.store.backup import MANIFEST, MAX_MANIFEST_BYTES
from venom_core.store.database import open_database
from venom_core.store.schema import HEAD
from venom_core.store.scratch import scratch, sweep
from venom_core.store.sessions import Message, Owner
from venom_core.testing.staging import client_of

__all__ = ["_scripted_venom", "cli", "installed", "make_venom", "paths", "stage"]

SECRET_WORDS = "what the user looked for"


def filled(file: Path, rows: int = 400) -> Path:
    """A store of many pages, closed, all of it in its one file."""
    store = Store(file)
    talk = [Message("user", f"{number} " + "x" * 500) for number in range(rows)]
    store.sessions().create(Owner(""), "s", "title", talk)
    store.close()
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


def rot(file: Path, first: int = 36, count: int = 20) -> None:
    """Spoil pages in the midst, as a bad disk does."""
    with file.open("r+b") as out:
        size = out.seek(0, 2)
        for page in range(first, min(first + count, size // 4096 - 1)):
            out.seek(page * 4096)
            out.write(b"\xa5" * 4096)


def garbage(file: Path) -> None:
    file.write_bytes(b"this is no database" * 100)


def cut(file: Path) -> None:
    os.truncate(file, 4096)


def directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def newer(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()


def without_a_table(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE api_keys")
        connection.commit()


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "garbage": (garbage, "store_damaged"),
    "cut": (cut, "store_damaged"),
    "rot": (rot, "store_damaged"),
    "a folder": (directory, "store_not_writable"),
    "newer": (newer, "store_too_new"),
    "a table is gone": (without_a_table, "store_damaged"),
}
#: Ways to the store of the command line: each says the same.
COMMANDS = [("keys", "list"), ("sessions", "show", "s"), ("backup", "b.zip"), ("doctor", "--json")]


@pytest.mark.parametrize(("spoil", "code"), list(DAMAGE.values()), ids=list(DAMAGE))
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_every_command_says_the_true_reason(
    cli: Cli, paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...], spoil: Callable[[Path], None], code: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    paths.make(paths.home)
    spoil(filled(paths.store_file))
    done = cli(*command)
    told = done.out + done.err
    if (spoil, command[0]) in ((rot, "keys"), (without_a_table, "sessions")):
        assert done.code == 0, "what it reads is sound"
    elif command[0] == "backup" and code in ("store_too_new",):
        assert done.code == 0, "a newer Venom can put it back"
    elif command[0] == "backup" and spoil is without_a_table:
        assert done.code == 0, "its pages are sound"
    else:
        assert done.code != 0 and code in told, told
        assert "Traceback" not in told
    if code == "store_damaged" and command[0] == "doctor":
        assert "venom restore" in told


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ((sqlite3.SQLITE_CORRUPT, "malformed"), "store_damaged"),
        ((sqlite3.SQLITE_CORRUPT_VTAB, "malformed"), "store_damaged"),
        ((sqlite3.SQLITE_NOTADB, "no database"), "store_damaged"),
        ((sqlite3.SQLITE_BUSY, "locked"), "store_locked"),
        ((sqlite3.SQLITE_BUSY_SNAPSHOT, "locked"), "store_locked"),
        ((sqlite3.SQLITE_LOCKED, "locked"), "store_locked"),
        ((sqlite3.SQLITE_FULL, "full"), "store_full"),
        ((sqlite3.SQLITE_IOERR_READ, "I/O"), "store_unreadable"),
        ((sqlite3.SQLITE_READONLY, "read-only"), "store_not_writable"),
        ((sqlite3.SQLITE_CANTOPEN, "cannot open"), "store_not_writable"),
    ],
)
async def test_every_route_says_the_true_reason(
    make_venom: MakeVenom, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    error: tuple[int, str], code: str,
) -> None:  # fmt: skip
    from sqlalchemy.engine.default import DefaultDialect

    venom = make_venom()
    venom.settings.paths.make(venom.settings.paths.home)
    filled(venom.settings.paths.store_file, 2)

    def fail(*_: Any) -> None:
        raised = sqlite3.OperationalError(error[1])
        raised.sqlite_errorcode = error[0]
        raise raised

    asked = [
        ("GET", f"/api/v1/sessions?query={SECRET_WORDS}"), ("GET", "/api/v1/sessions/s"),
        ("GET", "/api/v1/audit"), ("GET", "/api/v1/usage/summary"),
        ("GET", "/api/v1/models/operations"), ("DELETE", "/api/v1/sessions/s"),
    ]  # fmt: skip
    caplog.set_level(logging.DEBUG)
    async with client_of(venom) as client:
        await client.get("/api/v1/audit")
        monkeypatch.setattr(DefaultDialect, "do_execute", fail)
        for method, path in asked:
            got = await client.request(method, path)
            assert (got.status_code, got.json()["code"]) == (507, code), (path, got.text)
            assert got.json()["fix"] and SECRET_WORDS not in got.text
        monkeypatch.undo()
    ours = [record.getMessage() + str(record.exc_info) for record in caplog.records]
    assert not any(SECRET_WORDS in text for text in ours if "sessions?query" not in text)


async def test_one_unreadable_page_is_a_storage_error(make_venom: MakeVenom) -> None:
    venom = make_venom()
    venom.settings.paths.make(venom.settings.paths.home)
    rot(filled(venom.settings.paths.store_file))
    async with client_of(venom) as client:
        got = await client.get("/api/v1/sessions/s")
        assert (got.status_code, got.json()["code"]) == (507, "store_damaged")
        assert (await client.get("/api/v1/audit")).status_code == 200, "the rest works"


def test_search_words_are_in_no_error_of_the_database(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "venom.db")
    with engine.connect() as connection, pytest.raises(StorageError) as raised:
        connection.exec_driver_sql("SELECT * FROM nowhere WHERE x LIKE ?", (SECRET_WORDS,))
    twice = "INSERT INTO aliases (name, target, created_at) VALUES (?, 'x', 'x')"
    with engine.begin() as connection, pytest.raises(exc.IntegrityError) as broken:
        connection.exec_driver_sql(twice, (SECRET_WORDS,))
        connection.exec_driver_sql(twice, (SECRET_WORDS,))
    assert SECRET_WORDS not in str(broken.value)
    chain, error = [], raised.value
    while error is not None:
        chain.append(str(error) + repr(error))
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    assert len(chain) > 1 and not any(SECRET_WORDS in text for text in chain)


def test_a_value_that_is_no_json_leaves_the_rest(tmp_path: Path) -> None:
    file = filled(tmp_path / "venom.db", 2)
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE messages SET details = '{half'")
        connection.commit()
    _, messages = Store(file).sessions().read(Owner(""), "s")
    assert [message.details for message in messages] == [None, None]
    assert [message.content[:2] for message in messages] == ["0 ", "1 "]


# -- restoring ------------------------------------------------------------------------------------


@pytest.fixture
def kept(cli: Cli, paths: Paths, tmp_path: Path) -> Path:
    """A backup with one key; a later key is in the present store."""
    cli("keys", "create", "laptop")
    file = tmp_path / "b.zip"
    assert cli("backup", str(file)).code == 0
    cli("keys", "create", "later")
    return file


@pytest.mark.parametrize("spoil", [garbage, cut, rot, directory, newer, without_a_table])
def test_it_comes_back_over_a_store_that_is_damaged(
    cli: Cli, paths: Paths, kept: Path, spoil: Callable[[Path], None]
) -> None:
    if spoil is rot:
        filled(paths.store_file)
    spoil(paths.store_file)
    spoiled = None if paths.store_file.is_dir() else paths.store_file.read_bytes()
    done = cli("restore", str(kept), "--yes")
    assert done.code == 0, done.err
    assert keys_of(paths.store_file) == ["laptop"]
    before = Path(done.out.rsplit(": ", 1)[1].strip())
    assert before.exists(), "what was there is kept"
    if before.is_dir() and spoiled is not None:
        assert (before / "venom.db").read_bytes() == spoiled
    assert cli("doctor").out.count("store_damaged") == 0


def with_store(change: Callable[[Path], None]) -> Callable[[Path, Path], None]:
    """A backup whose store was changed, and whose manifest says that all is well."""

    def make(file: Path, folder: Path) -> None:
        store = folder / "inside.db"
        with zipfile.ZipFile(file) as archive:
            store.write_bytes(archive.read("venom.db"))
        change(store)
        data = store.read_bytes()
        files = {"venom.db": sha256_of(store)}
        rewritten(file, {"files": files, "schema": HEAD}, venom_db=data)

    return make


def foreign(file: Path) -> None:
    file.unlink()
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE other (x)")
        connection.commit()


def empty(file: Path) -> None:
    file.write_bytes(b"")


def deep_rot(file: Path) -> None:
    filled(file.with_name("rot.db"))
    rot(file.with_name("rot.db"))
    file.write_bytes(file.with_name("rot.db").read_bytes())


def flipped(file: Path, folder: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        info = archive.getinfo("venom.db")
    data = bytearray(file.read_bytes())
    at = info.header_offset + 60
    for place in range(at, at + 200):
        data[place] ^= 0x55
    file.write_bytes(data)


def cut_off(file: Path, folder: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def huge_manifest(file: Path, folder: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        manifest, store = json.loads(archive.read(MANIFEST)), archive.read("venom.db")
    manifest["padding"] = "x" * MAX_MANIFEST_BYTES
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, json.dumps(manifest))
        archive.writestr("venom.db", store)


def deep_manifest(file: Path, folder: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, "[" * 30_000)


def unknown_compression(file: Path, folder: Path) -> None:
    data = bytearray(file.read_bytes())
    for magic, at in ((b"PK\x01\x02", 10), (b"PK\x03\x04", 8)):
        place = -1
        while (place := data.find(magic, place + 1)) >= 0:
            data[place + at] = 99
    file.write_bytes(data)


LIES: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "no database": (with_store(garbage), "backup_damaged"),
    "a database of somebody else": (with_store(foreign), "backup_damaged"),
    "nothing": (with_store(empty), "backup_damaged"),
    "a newer store": (with_store(newer), "store_too_new"),
    "a store without a table": (with_store(without_a_table), "backup_damaged"),
    "rotten pages": (with_store(deep_rot), "backup_damaged"),
    "bit rot in the archive": (flipped, "digest_mismatch"),
    "an archive that was cut": (cut_off, "backup_not_valid"),
    "a manifest that is too large": (huge_manifest, "backup_not_valid"),
    "a manifest that is too deep": (deep_manifest, "backup_not_valid"),
    "a compression that nobody knows": (unknown_compression, "backup_not_valid"),
}


@pytest.mark.parametrize(("lie", "code"), list(LIES.values()), ids=list(LIES))
def test_a_backup_that_cannot_be_used_changes_nothing(
    cli: Cli, paths: Paths, kept: Path, tmp_path: Path,
    lie: Callable[[Path, Path], None], code: str,
) -> None:  # fmt: skip
    lie(kept, tmp_path)
    done = cli("restore", str(kept), "--yes")
    assert f"Code:  {code}" in done.err and "Traceback" not in done.err, done.err
    assert keys_of(paths.store_file) == ["laptop", "later"]
    assert not list(paths.home.glob(".scratch-*"))


def test_it_goes_back_where_the_new_store_does_not_open(
    cli: Cli, paths: Paths, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = backup.faults_of
    monkeypatch.setattr(
        backup, "faults_of", lambda file: ["lost"] if file == paths.store_file else real(file)
    )
    done = cli("restore", str(kept), "--yes")
    assert "Code:  store_damaged" in done.err
    monkeypatch.undo()
    assert keys_of(paths.store_file) == ["laptop", "later"]


@pytest.mark.parametrize("fails_at", range(1, 6))
def test_it_goes_back_whichever_step_fails(
    cli: Cli, paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    cli("keys", "create", "laptop")
    paths.config_file.write_text("[server]\nport = 1234\n")
    file = tmp_path / "b.zip"
    cli("backup", str(file))
    cli("keys", "create", "later")
    paths.config_file.write_text("[server]\nport = 4321\n")
    real, moves = Path.replace, []

    def replace(self: Path, target: Path) -> Path:
        steps = (paths.store_file, paths.config_file)
        if self in steps or target in steps:
            moves.append(self)
            if len(moves) == fails_at:
                raise OSError(5, "I/O error")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    done = cli("restore", str(file), "--yes")
    monkeypatch.undo()
    whole = fails_at == 5
    assert (done.code == 0) is whole, done.err
    assert keys_of(paths.store_file) == (["laptop"] if whole else ["laptop", "later"])
    assert ("1234" in paths.config_file.read_text()) is whole


# -- copies ---------------------------------------------------------------------------------------

DIES = """
import os, sys
from pathlib import Path
from venom_core.settings.paths import Paths
from venom_core.store import backup

def die(*_):
    os.kill(os.getpid(), 9)

backup.sha256_of = die
backup.write_backup(Paths.resolve(), Path(sys.argv[1]))
"""


def test_a_killed_backup_leaves_no_copy_for_long(
    cli: Cli, paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "temporary"
    elsewhere.mkdir()
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    monkeypatch.setattr(tempfile, "tempdir", None)
    cli("keys", "create", "laptop")
    subprocess.run([sys.executable, "-c", DIES, str(tmp_path / "b.zip")], check=False)
    assert list(paths.home.glob(".scratch-*")), "or it died too early"
    assert list(elsewhere.iterdir()) == []
    cli("keys", "list")
    assert list(paths.home.glob(".scratch-*")) == []


def test_the_copies_of_living_processes_stay(tmp_path: Path) -> None:
    with scratch(tmp_path) as folder:
        sweep(tmp_path)
        assert folder.is_dir() and folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()
