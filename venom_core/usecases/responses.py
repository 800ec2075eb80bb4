"""Responses that clients have kept: read, gone on with, deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from venom_core.sdk.errors import InvalidRequest, NotFound
from venom_core.store.responses import KeptResponse, ResponseRepository

#: Responses of one conversation: more than any context holds.
MOST_TURNS = 1000


class ResponseUseCases:
    """Keeps responses for the keys that asked for them; a key of None stands for no key."""

    def __init__(self, store: Callable[[], ResponseRepository], exists: Callable[[], bool]) -> None:
        self._store = store
        self._exists = exists

    async def keep(self, key_id: str | None, kept: KeptResponse) -> None:
        await asyncio.to_thread(lambda: self._store().add(key_id or "", kept))

    async def get(self, key_id: str | None, response_id: str) -> KeptResponse:
        """Return one. Raises ``NotFound``."""
        return await asyncio.to_thread(lambda: self._store().get(key_id or "", response_id))

    async def delete(self, key_id: str | None, response_id: str) -> None:
        """Forget one. Raises ``NotFound``."""
        await asyncio.to_thread(lambda: self._store().delete(key_id or "", response_id))

    async def conversation(self, key_id: str | None, response_id: str) -> list[Mapping[str, Any]]:
        """Return what was said up to a response and in it, as items, the first first.

        Raises ``NotFound`` where it or one before it is not there, and ``InvalidRequest`` where
        they are more than ``MOST_TURNS``.
        """
        return await asyncio.to_thread(self._conversation, key_id or "", response_id)

    def _conversation(self, key_id: str, response_id: str) -> list[Mapping[str, Any]]:
        store = self._store()
        turns: list[KeptResponse] = []
        wanted: str | None = response_id
        while wanted is not None:
            if len(turns) == MOST_TURNS:
                raise InvalidRequest(
                    f"The conversation has more than {MOST_TURNS:,} responses.",
                    param="previous_response_id",
                    fix="Begin a new one with a summary of it.",
                )
            try:
                turns.append(store.get(key_id, wanted))
            except NotFound as error:
                raise NotFound(
                    error.message, code=error.code, param="previous_response_id", fix=error.fix
                ) from error
            wanted = turns[-1].previous_id
        return [
            item for turn in reversed(turns) for item in (*turn.input, *turn.response["output"])
        ]
