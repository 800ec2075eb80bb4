"""The SQLite database: opened at first use, never at import, WAL so that the CLI may read beside
a running server."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from venom_core.store.columns import read_json
from venom_core.store.refusals import store_refusal, translate
from venom_core.store.schema import prepare
from venom_core.store.scratch import sweep
from venom_core.store.transactions import begin

if TYPE_CHECKING:
    from sqlalchemy import Engine

BUSY_SECONDS = 10


def open_database(path: Path) -> Engine:
    """Return the engine over ``path``, its schema made or migrated to the newest.

    Raises ``StorageError`` with the true reason where it cannot: damaged, locked, full, newer, not
    writable. Every later fault of the database is raised as one too, without the values that were
    asked for.
    """
    from sqlalchemy import create_engine, event, exc

    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        sweep(path.parent)
        engine = create_engine(
            f"sqlite:///{path}",
            connect_args={"timeout": BUSY_SECONDS},
            hide_parameters=True,
            json_deserializer=read_json,
        )
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", begin)
        event.listen(engine, "handle_error", translate)
        prepare(engine, path)
        path.chmod(0o600)
    except (OSError, sqlite3.Error, exc.DatabaseError) as error:
        raise store_refusal(error) from error
    return engine


def _set_up(connection: Any, _record: object) -> None:
    # Python's own transactions leave changes of the schema outside; see transactions.begin.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
