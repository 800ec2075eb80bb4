"""A provider's life: declared, opened at first use, given time after a failure, closed."""

from __future__ import annotations

import asyncio
import importlib
import logging
import time
from collections.abc import Sequence
from typing import Any

from venom_core.plugins.engine_packages import missing_engine, missing_library
from venom_core.plugins.guarded import SECONDS, GuardedProvider, Waits
from venom_core.plugins.isolation import cancels_us, cause_of, in_thread, retrieve
from venom_core.plugins.provider_state import Observe, ProviderState, Watcher
from venom_core.plugins.reasons import reason
from venom_core.plugins.validation import class_fault
from venom_core.sdk.errors import InvalidRequest, Unavailable, VenomError
from venom_core.sdk.provider import Model, Provider, ProviderContext
from venom_core.sdk.spec import ProviderSpec
from venom_core.sdk.states import Health, ProviderStatus, Reason
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths

logger = logging.getLogger(__name__)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0


class ProviderSlot(ProviderState):
    """One declared provider and, once somebody needed it, the opened object.

    Everything here runs on one event loop.
    """

    def __init__(
        self,
        spec: ProviderSpec,
        settings: Settings,
        paths: Paths,
        changed: Watcher,
        observe: Observe,
    ) -> None:
        super().__init__(spec, changed, observe)
        self._settings = settings
        self._paths = paths
        self._provider: GuardedProvider | None = None
        self._opening: asyncio.Task[GuardedProvider] | None = None
        self._failures = 0
        self._next_try = 0.0
        self._closed = False

    @property
    def is_open(self) -> bool:
        return self._provider is not None

    @property
    def is_at_rest(self) -> bool:
        return self._provider is None and self._opening is None

    async def open(self) -> Provider:
        """Return the provider opened and guarded. However many ask at once, it is opened once.

        Raises:
            VenomError: why it cannot be used now. After a failure that refusal is raised again,
                without another try, until ``retry_after`` has passed.
        """
        if self.excluded is not None:
            raise self.excluded.error()
        if self._closed:
            raise reason("closed", "Venom is stopping.", "venom serve").error()
        if self._provider is not None:
            return self._provider
        if self._opening is None:
            wait = self._next_try - time.monotonic()
            if wait > 0 and self.reason is not None:
                raise self.reason.error(retry_after=round(wait, 1))
            self._opening = asyncio.create_task(self._open(), name=f"open {self.spec.name}")
            # A waiter may be gone by then; the reason is kept in the slot.
            self._opening.add_done_callback(retrieve)
        opening = self._opening
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            asker = asyncio.current_task()
            if opening.cancelled() and asker is not None and not asker.cancelling():
                closed = reason("closed", f"{self.spec.title} is being closed.", "Try again.")
                raise closed.error() from None
            raise

    async def offered(self) -> Sequence[Model]:
        """Return what could be fetched once the missing engine is there, as far as that can be told
        without it; never raises. The provider is opened for the question and closed again."""
        engine = self.spec.engine
        if engine is None or engine.needed_to_list or self.excluded is not None or self._closed:
            return ()
        try:
            provider = await self._make_and_open()
            try:
                return [model for model in await provider.models() if not model.installed]
            finally:
                await provider.close()
        except VenomError as error:  # what is only offered must not stop what is there
            logger.info("%s does not tell what it offers: %s", self.spec.name, error)
            return ()

    async def health(self) -> Health:
        """Return what the provider says of itself, opening it if needed; never raises."""
        try:
            provider = await self.open()
        except VenomError as error:
            return Health(self.record().status, Reason.of(error))
        health = await provider.health()
        if self._provider is provider:
            self._become(health.status, health.reason, health.version)
        return health

    def retry(self) -> None:
        """Forget past failures: the next use tries again at once."""
        self._failures, self._next_try = 0, 0.0
        if self.is_at_rest:
            self._become(ProviderStatus.IDLE, None)
            self._look_for_engine()

    async def drain(self, seconds: float) -> bool:
        """Return whether every answer of the provider ended in that time."""
        return self._provider is None or await self._provider.drain(seconds)

    async def close(self, *, for_good: bool = True) -> None:
        """Close the provider if it is open, within its time."""
        self._closed = for_good
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            await asyncio.wait({opening}, timeout=SECONDS["close"])
        provider, self._provider = self._provider, None
        if provider is not None:
            await provider.close()
            self._become(ProviderStatus.IDLE, None)

    async def _open(self) -> GuardedProvider:
        self._become(ProviderStatus.OPENING, None)
        try:
            missing = await asyncio.to_thread(missing_engine, self.spec.engine)
            if missing is not None:
                raise missing.error()
            provider = await self._make_and_open()
        except asyncio.CancelledError:
            self._become(ProviderStatus.IDLE, None)
            raise
        except VenomError as error:
            self._failed(error)
            raise
        finally:
            self._opening = None
        self._provider = provider
        self._failures = 0
        self._become(ProviderStatus.READY, None)
        return provider

    async def _make_and_open(self) -> GuardedProvider:
        core = self._settings.core
        timeout = core.plugin_load_timeout
        made, context = await self._make(timeout)
        provider = GuardedProvider(
            made, context, Waits(timeout, core.answer_timeout, core.stall_timeout),
            lambda gone: self._become(ProviderStatus.UNAVAILABLE, gone), self.breaches,
        )  # fmt: skip
        try:
            await provider.open_plainly()
        except BaseException as error:
            await provider.close()
            if isinstance(error, VenomError) or cancels_us(error):
                raise
            if isinstance(error, TimeoutError):
                what = f"did not open within {timeout:g} s"
                raise self._refuse("open_timeout", what) from None
            cause = cause_of(error)
            logger.warning("provider %s did not open", self.spec.name, exc_info=cause)
            if (gone := missing_library(self.spec, cause)) is not None:
                raise gone.error() from cause
            what = f"raised {type(cause).__name__} when it was opened"
            raise self._refuse("open_failed", what) from cause
        return provider

    async def _make(self, timeout: float) -> tuple[Provider, ProviderContext]:
        """Do everything before ``open``: settings, class, object."""
        spec = self.spec
        try:
            values = self._settings.provider(spec).values
        except InvalidRequest as error:  # wrong here, and no fault of whoever asks for an answer
            raise Unavailable(error.message, fix=error.fix, code=error.code) from error
        try:
            cls = await in_thread(
                lambda: _import_class(spec.factory), name=f"import {spec.name}", timeout=timeout
            )
            if (wrong := class_fault(cls, spec)) is not None:
                raise self._refuse(*wrong)
            context = ProviderContext(
                spec=spec,
                settings=values,
                data_dir=self._paths.providers_dir / spec.name,
                models_dir=self._paths.models_dir,
                logger=logging.getLogger(f"venom.provider.{spec.name}"),
            )
            made = await in_thread(
                lambda: _construct(cls, context), name=f"make {spec.name}", timeout=timeout
            )
        except VenomError:
            raise
        except TimeoutError:
            what = f"took longer than {timeout:g} s to import"
            raise self._refuse("open_timeout", what) from None
        except Exception as error:
            cause = cause_of(error)
            logger.warning("provider %s could not be made", spec.name, exc_info=cause)
            if (gone := missing_library(spec, cause)) is not None:
                raise gone.error() from cause
            what = f"raised {type(cause).__name__} when its class was made"
            raise self._refuse("factory_failed", what) from cause
        return made, context

    def _refuse(self, code: str, what: str) -> VenomError:
        name = self.spec.name
        fix = f"See why in the log (venom logs), then: venom plugins retry {name}"
        if code == "open_timeout":
            fix = f"Give it longer, by VENOM_PLUGIN_LOAD_TIMEOUT, then: venom plugins retry {name}"
        return reason(code, f"The provider {name} {what}.", fix).error()

    def _failed(self, error: VenomError) -> None:
        settled = error.code in ("factory_failed", "capability_mismatch", "open_failed")
        status = ProviderStatus.FAILED if settled else ProviderStatus.UNAVAILABLE
        # Cheap to look at, and mended by the user from outside: no pause after these.
        if error.code not in ("engine_missing", "invalid_setting"):
            pause = min(FIRST_PAUSE * 2**self._failures, LONGEST_PAUSE)
            self._failures = min(self._failures + 1, 16)
            self._next_try = time.monotonic() + max(pause, error.retry_after or 0.0)
        self._become(status, Reason.of(error))


def _import_class(factory: str) -> object:
    module, _, name = factory.partition(":")
    return getattr(importlib.import_module(module), name)


def _construct(cls: Any, context: ProviderContext) -> Provider:
    made: Provider = cls(context)
    return made
