"""Transactions of the store: how one begins, one that writes, and what SQLite refuses in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from venom_core.store.refusals import store_refusal

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


def writing(engine: Engine) -> AbstractContextManager[Connection]:
    """Begin a transaction that will write. It takes the writer's lock at once and so waits its
    turn; one that reads first and writes later fails where another wrote between."""
    return engine.execution_options(immediate=True).begin()


def begin(connection: Connection) -> None:
    """Begin a transaction as its ``writing`` asked; the listener of every engine of ours."""
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextlib.contextmanager
def store_errors() -> Iterator[None]:
    """Raise what SQLite refuses (a full disk, a lock held too long) as ``StorageError``."""
    from sqlalchemy import exc

    try:
        yield
    except exc.DatabaseError as error:
        raise store_refusal(error) from error
