"""The schema: made at its head, migrated to it from the release before, refused when newer."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import venom_core.store.migrations as migrations
from venom_core.sdk.errors import StorageError
from venom_core.store.database import open_database
from venom_core.store.keys import EVERYTHING, KeyRepository, hash_key
from venom_core.store.schema import HEAD, KNOWN, revision
from venom_core.store.tables import metadata

KEY = "venom-0a1b2c3d-" + "k" * 43
#: What 2026.11.0 wrote, as it wrote it.
FIRST = """
PRAGMA journal_mode = WAL;
CREATE TABLE api_keys (
    id VARCHAR(16) NOT NULL, name VARCHAR(100) NOT NULL, sha256 BLOB NOT NULL,
    created_at VARCHAR(32) NOT NULL, revoked_at VARCHAR(32), PRIMARY KEY (id)
);
PRAGMA user_version = 1;
"""


def first_store(path: Path) -> Path:
    connection = sqlite3.connect(path)
    connection.executescript(FIRST)
    row = ("0a1b2c3d", "laptop", hash_key(KEY), "2026-11-01T10:00:00Z")
    connection.execute("INSERT INTO api_keys VALUES (?, ?, ?, ?, NULL)", row)
    connection.commit()
    connection.close()
    return path


def read(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("old", [False, True])
def test_a_made_and_a_migrated_store_are_what_the_tables_say(tmp_path: Path, old: bool) -> None:
    path = tmp_path / "venom.db"
    if old:
        first_store(path)
    with open_database(path).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert revision(connection) == HEAD


def test_the_revisions_are_those_that_the_store_knows() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    scripts = ScriptDirectory.from_config(config)
    assert tuple(script.revision for script in scripts.walk_revisions()) == KNOWN
    assert scripts.get_current_head() == HEAD


def test_what_the_release_before_wrote_is_there_and_works(tmp_path: Path) -> None:
    path = first_store(tmp_path / "venom.db")
    keys = KeyRepository(open_database(path))
    found = keys.verify(KEY)
    assert found is not None and (found.id, found.rights) == ("0a1b2c3d", EVERYTHING)
    assert [key.name for key in keys.list()] == ["laptop"]


def test_the_file_from_before_a_migration_is_kept(tmp_path: Path) -> None:
    path = first_store(tmp_path / "venom.db")
    open_database(path).dispose()
    kept = tmp_path / "venom.db.0001.bak"
    assert read(kept, "PRAGMA user_version") == [(1,)]
    assert read(kept, "SELECT name FROM api_keys") == [("laptop",)]
    assert kept.stat().st_mode & 0o077 == 0
    open_database(tmp_path / "fresh.db").dispose()
    assert [file.name for file in tmp_path.glob("fresh*.bak")] == []


def test_a_migration_that_breaks_off_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = first_store(tmp_path / "venom.db")
    make, made = op.create_table, []

    def breaks(name: str, *columns: object, **more: object) -> object:
        if len(made) == 3:
            raise OSError("the disk is full")
        made.append(name)
        return make(name, *columns, **more)

    monkeypatch.setattr(op, "create_table", breaks)
    with pytest.raises(StorageError):
        open_database(path)
    assert read(path, "SELECT name FROM sqlite_master WHERE type = 'table'") == [("api_keys",)]
    monkeypatch.undo()
    with open_database(path).connect() as connection:
        assert revision(connection) == HEAD


@pytest.mark.parametrize(
    "newer", ["UPDATE alembic_version SET version_num = '9999'", None], ids=["later", "unknown"]
)
def test_a_newer_store_is_refused_and_left_alone(tmp_path: Path, newer: str | None) -> None:
    path = tmp_path / "venom.db"
    connection = sqlite3.connect(path)
    if newer is None:
        connection.executescript(FIRST + "PRAGMA user_version = 2;")
    else:
        open_database(path).dispose()
        connection.executescript(newer)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StorageError) as raised:
        open_database(path)
    assert raised.value.code == "store_too_new"
    assert path.read_bytes() == before


def test_alembic_is_imported_for_a_migration_only(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; "
        "from venom_core.store.database import open_database; "
        "open_database(Path(sys.argv[1])); print('alembic' in sys.modules)"
    )
    seen = []
    for path in (tmp_path / "new.db", tmp_path / "new.db", first_store(tmp_path / "old.db")):
        run = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
        )
        seen.append(run.stdout.split()[-1])
    assert seen == ["False", "False", "True"]


#: A new revision gets its line here; what a store may have been made with is never changed.
REVISIONS = {
    "r0001_keys.py": "978c4c11bbccbf5a",
    "r0002_models_in_use.py": "61ef2210152bbcfd",
    "r0003_builds.py": "2ade4fab88a77002",
    "r0004_self_tests.py": "0b40e69bbc23cef1",
    "r0005_services.py": "817edb19b5265bf3",
    "r0006_key_times.py": "fd8a54998e4bad3f",
    "r0007_benchmarks.py": "cc84630bcdc215bf",
    "r0008_responses.py": "0934aa403b927d60",
}


def test_a_revision_that_stores_have_is_never_edited() -> None:
    files = Path(str(migrations.__file__)).parent.glob("versions/r*.py")
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:16] for file in files}
    assert found == REVISIONS
