"""Limits of a key: the models it may use, and its requests and tokens a day (UTC).

Counted in memory, from what the ledger says at a key's first use. A request is counted when it is
admitted, its tokens when it ends: answers under way may go beyond the limit, the next one is
refused.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from venom_core.accounting.ledger import day_of
from venom_core.models.registry import ListedModel
from venom_core.sdk.errors import Forbidden, RateLimited
from venom_core.store.keys import ApiKey, KeyRights

DAY_SECONDS = 86_400


@dataclass(slots=True)
class _Used:
    day: int
    requests: int = 0
    tokens: int = 0


class Quotas:
    """The limits of the keys that have any. Lives on one event loop.

    Args:
        used: requests and tokens of a key on a day, from the ledger; called in a thread.
        clock: the wall clock in seconds.
    """

    def __init__(
        self, used: Callable[[str, str], tuple[int, int]], clock: Callable[[], float] = time.time
    ) -> None:
        self._ask = used
        self._clock = clock
        self._limited: dict[str, KeyRights] = {}
        self._used: dict[str, _Used] = {}
        self._seeding = asyncio.Lock()

    def set_limits(self, key: ApiKey) -> None:
        """Hold everybody who calls with this key's id to its rights. The check of keys says so each
        time it looks a key up."""
        rights = key.rights
        if rights.models or rights.requests_per_day or rights.tokens_per_day:
            self._limited[key.id] = rights
        else:
            self._limited.pop(key.id, None)

    def allows(self, key_id: str | None, listed: ListedModel) -> bool:
        """Return whether the key may use the model."""
        rights = None if key_id is None else self._limited.get(key_id)
        if rights is None or rights.models is None:
            return True
        return any(
            fnmatchcase(listed.reference if "://" in glob else listed.model.ref, glob)
            for glob in rights.models
        )

    def check_model(self, key_id: str | None, listed: ListedModel) -> None:
        """Raise ``Forbidden`` where the key may not use the model."""
        if not self.allows(key_id, listed):
            raise Forbidden(
                f"This key may not use {listed.reference}.",
                code="model_not_allowed",
                param="model",
                fix="GET /v1/models lists what it may use.",
            )

    async def take(self, key_id: str | None) -> None:
        """Count a request of the key, or raise ``RateLimited`` where its day is used up."""
        rights = None if key_id is None else self._limited.get(key_id)
        if key_id is None or rights is None:
            return
        if rights.requests_per_day is None and rights.tokens_per_day is None:
            return
        used = await self._today(key_id)
        for what, done, limit in (
            ("requests", used.requests, rights.requests_per_day),
            ("tokens", used.tokens, rights.tokens_per_day),
        ):
            if limit is not None and done >= limit:
                left = DAY_SECONDS - self._clock() % DAY_SECONDS
                raise RateLimited(
                    f"This key has used its {limit} {what} of today.",
                    code="quota_exceeded",
                    retry_after=left,
                    fix="It can go on after midnight UTC; whoever made the key can make another.",
                )
        used.requests += 1

    def give_back(self, key_id: str | None) -> None:
        """Take back a request that :meth:`take` counted: it was refused before a provider was
        asked."""
        used = self._used.get(key_id or "")
        if used is not None and used.day == self._day():
            used.requests -= 1

    def spend(self, key_id: str | None, tokens: int) -> None:
        """Add the tokens of a request that :meth:`take` counted."""
        used = self._used.get(key_id or "")
        if used is not None:
            if used.day != self._day():
                self._used[key_id or ""] = used = _Used(self._day())
            used.tokens += tokens

    def _day(self) -> int:
        return int(self._clock() // DAY_SECONDS)

    async def _today(self, key_id: str) -> _Used:
        used = self._used.get(key_id)
        if used is None:
            async with self._seeding:
                used = self._used.get(key_id)
                if used is None:
                    day = day_of(self._clock())
                    used = _Used(self._day(), *await asyncio.to_thread(self._ask, key_id, day))
                    self._used[key_id] = used
        if used.day != self._day():
            used = self._used[key_id] = _Used(self._day())
        return used
