"""The store of one installation: opened and migrated at its first use, one engine for all."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from venom_core.store.audit import (
    EVERY_ENTRY,
    Actor,
    AuditEntry,
    AuditWanted,
    count_audit,
    read_audit,
    write_audit,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from venom_core.store.benchmarks import BenchmarkRepository
    from venom_core.store.history import HistoryRepository
    from venom_core.store.in_use import InUseRepository
    from venom_core.store.keys import KeyRepository
    from venom_core.store.ledger import UsageRepository
    from venom_core.store.operations import OperationRepository
    from venom_core.store.responses import ResponseRepository
    from venom_core.store.self_tests import SelfTestRepository
    from venom_core.store.sessions import SessionRepository


class Store:
    """Hands out repositories over one engine.

    Everything but :meth:`exists` blocks for a disk access: call it in a thread. Looking must not
    make a store: ask :meth:`exists` first where only reading is meant.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._engine: Engine | None = None
        self._opened: tuple[int, int] | None = None
        self._opening = threading.Lock()

    def exists(self) -> bool:
        """Return whether anything was ever stored."""
        return self.file.exists()

    @property
    def engine(self) -> Engine:
        """Open and migrate the database, once, and again where another file has taken its place:
        what is written to one that was removed is written to nobody. Raises ``StorageError``."""
        from venom_core.store.database import open_database

        with self._opening:
            if self._engine is not None and self._identity() != self._opened:
                self._engine.dispose()
                self._engine = None
            if self._engine is None:
                self._engine = open_database(self.file)
                self._opened = self._identity()
            return self._engine

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self.file.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def close(self) -> None:
        """Give the connections back, where any were opened."""
        with self._opening:
            if self._engine is not None:
                self._engine.dispose()

    def keys(self) -> KeyRepository:
        """Return the API keys."""
        from venom_core.store.keys import KeyRepository

        return KeyRepository(self.engine)

    def usage(self) -> UsageRepository:
        """Return the usage ledger as it was last written."""
        from venom_core.store.ledger import UsageRepository

        return UsageRepository(self.engine)

    def in_use(self) -> InUseRepository:
        """Return the active models, overrides and aliases."""
        from venom_core.store.in_use import InUseRepository

        return InUseRepository(self.engine)

    def benchmarks(self) -> BenchmarkRepository:
        """Return what benchmarks measured."""
        from venom_core.store.benchmarks import BenchmarkRepository

        return BenchmarkRepository(self.engine)

    def responses(self) -> ResponseRepository:
        """Return what responses measured."""
        from venom_core.store.responses import ResponseRepository

        return ResponseRepository(self.engine)

    def self_tests(self) -> SelfTestRepository:
        """Return the last self-test of each model."""
        from venom_core.store.self_tests import SelfTestRepository

        return SelfTestRepository(self.engine)

    def sessions(self) -> SessionRepository:
        """Return the conversations."""
        from venom_core.store.sessions import SessionRepository

        return SessionRepository(self.engine)

    def history(self) -> HistoryRepository:
        """Return what happened to services."""
        from venom_core.store.history import HistoryRepository

        return HistoryRepository(self.engine)

    def operations(self) -> OperationRepository:
        """Return the installs, builds and removals."""
        from venom_core.store.operations import OperationRepository

        return OperationRepository(self.engine)

    def record_audit(
        self,
        actor: Actor,
        action: str,
        subject: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> None:
        """Add an entry for a change that was made outside the store."""
        from venom_core.store.transactions import writing

        with writing(self.engine) as connection:
            write_audit(connection, actor, action, subject, before, after)

    def count_audit(self, actor: Actor, action: str, subject: str) -> None:
        """Add an entry for what may be done any number of times, or count it in the last one."""
        from venom_core.store.transactions import writing

        with writing(self.engine) as connection:
            count_audit(connection, actor, action, subject)

    def audit(
        self, limit: int, before: int | None = None, wanted: AuditWanted = EVERY_ENTRY
    ) -> list[AuditEntry]:
        """Return the newest audit entries first, those older than number ``before``; none where
        there is no store."""
        return read_audit(self.engine, limit, before, wanted) if self.exists() else []
