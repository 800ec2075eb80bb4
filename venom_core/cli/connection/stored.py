"""Use cases that need the store only: they work beside a running server, without a ``Venom``.

Each brings its own imports when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from venom_core.settings.paths import Paths

if TYPE_CHECKING:
    from venom_core.store.access import Store
    from venom_core.usecases.journal import Journal
    from venom_core.usecases.keys import KeyUseCases
    from venom_core.usecases.sessions import SessionUseCases
    from venom_core.usecases.usage import UsageUseCases


def stored_journal() -> Journal:
    """Return the audit trail of the data directory; nobody watches events of this process."""
    from venom_core.usecases.journal import Journal

    return Journal(_store(), lambda event: None)


def stored_keys() -> KeyUseCases:
    """Return the API keys of the data directory."""
    from venom_core.usecases.keys import KeyUseCases

    return KeyUseCases(_store())


def stored_sessions() -> SessionUseCases:
    """Return the conversations of the data directory."""
    from venom_core.chat.sessions import Sessions
    from venom_core.usecases.sessions import SessionUseCases

    store = _store()
    return SessionUseCases(Sessions(store.sessions, store.exists), stored_journal())


def stored_usage() -> UsageUseCases:
    """Return the usage ledger of the data directory; a running server's last second may be
    missing."""
    from venom_core.accounting.ledger import Ledger
    from venom_core.usecases.usage import UsageUseCases

    store = _store()
    return UsageUseCases(store, Ledger(store.usage, 0))


def _store() -> Store:
    from venom_core.store.access import Store

    return Store(Paths.resolve().store_file)
