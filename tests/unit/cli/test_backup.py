"""`venom backup` and `venom restore`, across an upgrade and back."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.unit.store.test_schema import KEY, first_store
from venom_core.cli.exit_codes import ExitCode
from venom_core.store.backup import MANIFEST
from venom_core.store.database import open_database
from venom_core.store.keys import KeyRepository
from venom_core.store.schema import HEAD, revision


def keys_of(store: Path) -> list[str]:
    return [key.name for key in KeyRepository(open_database(store)).list()]


def schema_of(store: Path) -> str | None:
    connection = sqlite3.connect(store)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    found = "0001"
    if "alembic_version" in tables:
        (found,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    connection.close()
    return found


def test_a_backup_comes_back_whole(cli, paths, tmp_path: Path) -> None:
    cli("keys", "create", "laptop")
    paths.config_file.write_text('[core]\nlog_level = "debug"\n')
    paths.secrets_file.write_text("# a secret\n")
    file = tmp_path / "b.zip"
    record = json.loads(cli("backup", str(file), "--json").out)
    assert record["schema"] == HEAD
    assert sorted(record["files"]) == ["config.toml", "secrets.toml", "venom.db"]
    assert file.stat().st_mode & 0o077 == 0
    cli("keys", "create", "later")
    paths.config_file.write_text("")
    paths.secrets_file.unlink()
    done = cli("restore", str(file), "--yes")
    assert done.code == 0, done.err
    assert keys_of(paths.store_file) == ["laptop"]
    assert "debug" in paths.config_file.read_text()
    assert paths.secrets_file.read_text() == "# a secret\n"
    assert paths.secrets_file.stat().st_mode & 0o777 == 0o600
    before = Path(done.out.rsplit(": ", 1)[1].strip())
    assert cli("restore", str(before), "--yes").code == 0
    assert keys_of(paths.store_file) == ["laptop", "later"]


def test_across_an_upgrade_and_back(cli, paths, tmp_path: Path) -> None:
    """Kept by the release before, upgraded, put back as that release knows it, upgraded again."""
    paths.make(paths.home)
    first_store(paths.store_file)
    file = tmp_path / "old.zip"
    assert json.loads(cli("backup", str(file), "--json").out)["schema"] == "0001"
    assert schema_of(paths.store_file) == "0001", "looking at a store must not upgrade it"
    cli("keys", "create", "after-upgrade")
    assert schema_of(paths.store_file) == HEAD
    assert cli("restore", str(file), "--yes").code == 0
    assert schema_of(paths.store_file) == "0001"
    with open_database(paths.store_file).connect() as connection:
        assert revision(connection) == HEAD
    key = KeyRepository(open_database(paths.store_file)).verify(KEY)
    assert key is not None and key.id == "0a1b2c3d"
    assert keys_of(paths.store_file) == ["laptop"]


def rewritten(file: Path, change: dict[str, Any] | None = None, **members: bytes) -> None:
    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(content.pop(MANIFEST))
    content |= {name.replace("_", "."): data for name, data in members.items()}
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(MANIFEST, json.dumps({**manifest, **(change or {})}))
        for name, data in content.items():
            archive.writestr(name, data)


@pytest.mark.parametrize(
    ("change", "members", "code"),
    [
        ({"schema": "9999"}, {}, "store_too_new"),
        ({"format": 2}, {}, "backup_not_valid"),
        ({"files": {}}, {}, "backup_not_valid"),
        ({"files": {"../../.bashrc": "0" * 64}}, {}, "backup_not_valid"),
        ({"files": ["venom.db"]}, {}, "backup_not_valid"),
        (None, {"venom_db": b"SQLite format 3\x00 of somebody else"}, "digest_mismatch"),
    ],
)
def test_what_is_not_what_it_says_changes_nothing(
    cli, paths, tmp_path: Path, change: dict[str, Any] | None, members: dict[str, bytes], code: str
) -> None:
    cli("keys", "create", "laptop")
    file = tmp_path / "b.zip"
    cli("backup", str(file))
    cli("keys", "create", "later")
    rewritten(file, change, **members)
    done = cli("restore", str(file), "--yes")
    assert f"Code:  {code}" in done.err
    assert keys_of(paths.store_file) == ["laptop", "later"]
    assert not list(paths.home.glob("*.restoring"))


@pytest.mark.parametrize(
    ("content", "exit_code", "code"),
    [(None, ExitCode.NOT_FOUND, "backup_not_found"), (b"text", ExitCode.USAGE, "backup_not_valid")],
)
def test_no_backup_at_all(
    cli, tmp_path: Path, content: bytes | None, exit_code: ExitCode, code: str
) -> None:
    file = tmp_path / "b.zip"
    if content is not None:
        file.write_bytes(content)
    done = cli("restore", str(file), "--yes")
    assert (done.code, f"Code:  {code}" in done.err) == (exit_code, True)


def test_nothing_is_overwritten_and_nothing_to_keep_is_said(cli, tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    assert "Code:  nothing_to_back_up" in cli("backup", str(file)).err
    assert not file.exists()
    cli("keys", "create", "laptop")
    file.write_bytes(b"mine")
    assert cli("backup", str(file)).code == ExitCode.CONFLICT
    assert file.read_bytes() == b"mine"


def test_a_store_that_is_just_being_made_is_left_out(cli, paths, tmp_path: Path) -> None:
    """A backup with it in it could not be put back: it has no tables yet."""
    paths.make(paths.home)
    sqlite3.connect(paths.store_file).close()
    file = tmp_path / "b.zip"
    assert "Code:  nothing_to_back_up" in cli("backup", str(file)).err
    paths.config_file.write_text('[server]\nlog_level = "debug"\n')
    record = json.loads(cli("backup", str(file), "--json").out)
    assert (list(record["files"]), record["schema"]) == (["config.toml"], None)
    assert cli("restore", str(file), "--yes").code == 0


def test_restoring_asks_first(cli, paths, tmp_path: Path) -> None:
    cli("keys", "create", "laptop")
    file = tmp_path / "b.zip"
    cli("backup", str(file))
    cli("keys", "create", "later")
    assert cli("restore", str(file)).code == ExitCode.USAGE
    assert keys_of(paths.store_file) == ["laptop", "later"]
