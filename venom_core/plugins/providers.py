"""A provider's life: declared, opened at first use, given time after a failure, closed."""

from __future__ import annotations

import asyncio
import importlib
import importlib.machinery
import importlib.util
import inspect
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from venom_core.plugins.reasons import reason
from venom_core.plugins.records import ProviderRecord
from venom_core.plugins.threads import WorkEndedError, in_thread
from venom_core.sdk.errors import EngineMissing, InvalidRequest, Unavailable, VenomError
from venom_core.sdk.provider import Model, Provider, ProviderContext
from venom_core.sdk.spec import Capability, EngineRequirement, ProviderSpec
from venom_core.sdk.states import Health, ProviderStatus, Reason
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths

T = TypeVar("T")
Watcher = Callable[[ProviderRecord], None]

HEALTH_TIMEOUT = 5.0
CLOSE_TIMEOUT = 15.0
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0


class ProviderSlot:
    """One declared provider and, once somebody needed it, the opened object.

    Everything here runs on one event loop. ``status`` and ``reason`` are the present state;
    ``excluded`` keeps the provider closed (a profile, a conflict of names) with the reason.
    """

    def __init__(
        self, spec: ProviderSpec, settings: Settings, paths: Paths, changed: Watcher
    ) -> None:
        self.spec = spec
        self.status = ProviderStatus.IDLE
        self.reason: Reason | None = None
        self.version: str | None = None
        self.excluded: Reason | None = None
        self._settings = settings
        self._paths = paths
        self._changed = changed
        self._provider: Provider | None = None
        self._opening: asyncio.Task[Provider] | None = None
        self._failures = 0
        self._next_try = 0.0
        self._closed = False
        self._look_for_engine()

    @property
    def is_open(self) -> bool:
        return self._provider is not None

    def record(self) -> ProviderRecord:
        """The provider as it is now; a missing engine is looked for again."""
        if self.status in (ProviderStatus.IDLE, ProviderStatus.UNAVAILABLE):
            self._look_for_engine()
        status, why = self.status, self.reason
        if self.excluded is not None:
            status, why = ProviderStatus.DISABLED, self.excluded
        return ProviderRecord(
            name=self.spec.name,
            title=self.spec.title,
            status=status,
            capabilities=tuple(sorted(ability.value for ability in self._abilities())),
            reason=why,
            version=self.version,
        )

    async def open(self) -> Provider:
        """The opened provider. However many ask at once, it is opened once.

        Raises:
            Unavailable: it cannot be used now; after a failure the same reason is given, without
                another try, until ``retry_after`` has passed.
            EngineMissing: its engine is not installed.
        """
        if self.excluded is not None:
            raise _refusal(self.excluded)
        if self._closed:
            raise _refusal(reason("closed", "Venom is stopping.", "venom serve"))
        if self._provider is not None:
            return self._provider
        if self._opening is None:
            wait = self._next_try - time.monotonic()
            if wait > 0 and self.reason is not None:
                raise _refusal(self.reason, retry_after=round(wait, 1))
            self._opening = asyncio.create_task(self._open(), name=f"open {self.spec.name}")
            # A waiter may be gone by then; the reason is kept in the slot.
            self._opening.add_done_callback(_retrieve)
        opening = self._opening
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            asker = asyncio.current_task()
            if opening.cancelled() and asker is not None and not asker.cancelling():
                raise _refusal(
                    reason("closed", f"{self.spec.title} is being closed.", "Try again.")
                ) from None
            raise

    async def offered(self) -> Sequence[Model]:
        """What could be fetched once the missing engine is there, as far as that can be told
        without it; never raises. The provider is opened for the question and closed again."""
        engine = self.spec.engine
        if engine is None or engine.needed_to_list or self.excluded is not None or self._closed:
            return ()
        try:
            provider = await self._make()
            await self._start(provider)
            try:
                models = await _bounded(provider.models(), HEALTH_TIMEOUT)
                return [model for model in models if not model.installed]
            finally:
                await self._close(provider)
        except Exception:  # what is only offered must not stop what is there
            logger = logging.getLogger(__name__)
            logger.info("%s does not tell what it offers", self.spec.name, exc_info=True)
            return ()

    async def health(self) -> Health:
        """What the provider says of itself, opening it if needed; never raises."""
        try:
            provider = await self.open()
        except VenomError as error:
            return Health(self.record().status, Reason.of(error))
        health = await self._ask_health(provider)
        if self._provider is provider:
            self._become(health.status, health.reason, health.version)
        return health

    def retry(self) -> None:
        """Forget past failures: the next use tries again at once."""
        self._failures, self._next_try = 0, 0.0
        if self._provider is None and self._opening is None:
            self._become(ProviderStatus.IDLE, None)
            self._look_for_engine()

    async def close(self, *, for_good: bool = True) -> None:
        """Close the provider if it is open, within :data:`CLOSE_TIMEOUT` seconds."""
        self._closed = for_good
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            await asyncio.wait({opening}, timeout=CLOSE_TIMEOUT)
        provider, self._provider = self._provider, None
        if provider is not None:
            await self._close(provider)
            self._become(ProviderStatus.IDLE, None)

    async def _open(self) -> Provider:
        self._become(ProviderStatus.OPENING, None)
        try:
            missing = await asyncio.to_thread(missing_engine, self.spec.engine)
            if missing is not None:
                raise EngineMissing(missing.message, fix=missing.fix)
            provider = await self._make()
            await self._start(provider)
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

    async def _make(self) -> Provider:
        """Everything before ``open``: settings, class, object."""
        spec = self.spec
        try:
            values = self._settings.provider(spec).values
        except InvalidRequest as error:  # wrong here, and no fault of whoever asks for an answer
            raise Unavailable(error.message, fix=error.fix, code=error.code) from error
        timeout = self._settings.core.plugin_load_timeout
        try:
            cls = await in_thread(
                lambda: _import_class(spec.factory), name=f"import {spec.name}", timeout=timeout
            )
            self._check_class(cls)
            context = ProviderContext(
                spec=spec,
                settings=values,
                data_dir=self._paths.providers_dir / spec.name,
                models_dir=self._paths.models_dir,
                logger=logging.getLogger(f"venom.provider.{spec.name}"),
            )
            return await in_thread(
                lambda: _construct(cls, context), name=f"make {spec.name}", timeout=timeout
            )
        except VenomError:
            raise
        except TimeoutError:
            raise self._refuse(
                "open_timeout", f"took longer than {timeout:g} s to import"
            ) from None
        except Exception as error:
            cause = error.cause if isinstance(error, WorkEndedError) else error
            logger = logging.getLogger(__name__)
            logger.warning("provider %s could not be made", spec.name, exc_info=cause)
            what = f"raised {type(cause).__name__} when its class was made"
            raise self._refuse("factory_failed", what) from cause

    async def _start(self, provider: Provider) -> None:
        timeout = self._settings.core.plugin_load_timeout
        try:
            await _bounded(provider.open(), timeout)
        except BaseException as error:
            await self._close(provider)
            if isinstance(error, VenomError | asyncio.CancelledError):
                raise
            if isinstance(error, TimeoutError):
                what = f"did not open within {timeout:g} s"
                raise self._refuse("open_timeout", what) from None
            logger = logging.getLogger(__name__)
            cause = error.cause if isinstance(error, WorkEndedError) else error
            logger.warning("provider %s did not open", self.spec.name, exc_info=cause)
            what = f"raised {type(cause).__name__} when it was opened"
            raise self._refuse("open_failed", what) from error

    async def _close(self, provider: Provider) -> None:
        logger = logging.getLogger(__name__)
        try:
            await _bounded(provider.close(), CLOSE_TIMEOUT)
        except TimeoutError:
            logger.warning("provider %s did not close in time", self.spec.name)
        except Exception:
            logger.warning("provider %s did not close cleanly", self.spec.name, exc_info=True)

    def _check_class(self, cls: object) -> None:
        if not isinstance(cls, type) or not issubclass(cls, Provider):
            raise self._refuse("factory_failed", "names a factory that is no Provider class")
        abstract = sorted(getattr(cls, "__abstractmethods__", ()))
        if abstract:
            raise self._refuse("factory_failed", f"has a class without {', '.join(abstract)}")
        lacking = [
            ability.value
            for ability in self._abilities()
            if getattr(cls, ability) is getattr(Provider, ability)
        ]
        if lacking:
            what = f"declares {', '.join(sorted(lacking))} and its class has no such method"
            raise self._refuse("capability_mismatch", what)

    def _abilities(self) -> list[Capability]:
        return [Capability(ability) for ability in self.spec.capabilities]

    def _refuse(self, code: str, what: str) -> Unavailable:
        name = self.spec.name
        fix = f"The server's log has the details; then: venom plugins retry {name}"
        why = reason(code, f"The provider {name} {what}.", fix)
        return Unavailable(why.message, fix=why.fix, code=why.code)

    def _failed(self, error: VenomError) -> None:
        settled = error.code in ("factory_failed", "capability_mismatch", "open_failed")
        status = ProviderStatus.FAILED if settled else ProviderStatus.UNAVAILABLE
        # Cheap to look at, and mended by the user from outside: no pause after these.
        if error.code not in ("engine_missing", "invalid_setting"):
            pause = min(FIRST_PAUSE * 2**self._failures, LONGEST_PAUSE)
            self._failures = min(self._failures + 1, 16)
            self._next_try = time.monotonic() + max(pause, error.retry_after or 0.0)
        self._become(status, Reason.of(error))

    async def _ask_health(self, provider: Provider) -> Health:
        try:
            answer: object = await _bounded(provider.health(), HEALTH_TIMEOUT)
        except TimeoutError:
            message = f"{self.spec.title} did not tell its health within {HEALTH_TIMEOUT:g} s."
            fix = f"venom plugins retry {self.spec.name}"
            return Health(ProviderStatus.UNAVAILABLE, reason("health_timeout", message, fix))
        except Exception as error:
            return self._unhealthy(error.cause if isinstance(error, WorkEndedError) else error)
        if isinstance(answer, Health):
            return answer
        return self._unhealthy(TypeError(f"health() returned {type(answer).__name__}"))

    def _unhealthy(self, error: BaseException) -> Health:
        logger = logging.getLogger(__name__)
        logger.warning("health of %s", self.spec.name, exc_info=error)
        message = f"{self.spec.title} raised {type(error).__name__} when asked for its health."
        why = reason("health_failed", message, "The server's log has the details.")
        return Health(ProviderStatus.FAILED, why)

    def _look_for_engine(self) -> None:
        """A missing engine shows before anybody tries to use the provider."""
        if self._provider is not None or self._opening is not None:
            return
        missing = missing_engine(self.spec.engine)
        if missing is not None:
            self._become(ProviderStatus.UNAVAILABLE, missing)
        elif self.reason is not None and self.reason.code == "engine_missing":
            self._become(ProviderStatus.IDLE, None)

    def _become(
        self, status: ProviderStatus, why: Reason | None, version: str | None = None
    ) -> None:
        before = (self.status, self.reason)
        self.status, self.reason, self.version = status, why, version
        if before != (status, why):
            self._changed(ProviderRecord(self.spec.name, self.spec.title, status, (), why, version))


def missing_engine(engine: EngineRequirement | None) -> Reason | None:
    """The reason, where the engine's module cannot be found. Nothing is imported: of a dotted name
    ``find_spec`` would import the parents, so the path is walked here."""
    if engine is None or _is_there(engine.module):
        return None
    package = engine.module.partition(".")[0]
    fix = f"venom plugins install {engine.install}"
    return reason("engine_missing", f"{package} is not installed.", fix)


def _is_there(module: str) -> bool:
    first, *rest = module.split(".")
    try:
        found = importlib.util.find_spec(first)
        name = first
        for part in rest:
            if found is None or found.submodule_search_locations is None:
                return False
            name = f"{name}.{part}"
            found = importlib.machinery.PathFinder.find_spec(
                name, list(found.submodule_search_locations)
            )
    except (ImportError, ValueError):
        return False
    return found is not None


def _import_class(factory: str) -> object:
    module, _, name = factory.partition(":")
    return getattr(importlib.import_module(module), name)


def _construct(cls: Any, context: ProviderContext) -> Provider:
    made: Provider = cls(context)
    return made


async def _bounded(work: Coroutine[Any, Any, T], timeout: float) -> T:
    """Await foreign work for at most ``timeout`` seconds, even if it ignores being cancelled.

    ``SystemExit`` in a task would end the event loop, and a ``TimeoutError`` of the work is not
    ours: both come out as :class:`WorkEndedError`.
    """
    if not inspect.iscoroutine(work):
        raise TypeError("an async method returned no coroutine")
    task = asyncio.create_task(_tamed(work))
    try:
        done, _ = await asyncio.wait({task}, timeout=timeout)
    except asyncio.CancelledError:
        task.cancel()
        task.add_done_callback(_retrieve)
        raise
    if not done:
        task.cancel()
        task.add_done_callback(_retrieve)
        raise TimeoutError
    if task.cancelled():  # by itself; passed on, it would look like ours
        raise WorkEndedError(asyncio.CancelledError())
    result: T = task.result()
    return result


async def _tamed(work: Coroutine[Any, Any, T]) -> T:
    try:
        return await work
    except (SystemExit, TimeoutError) as ended:
        raise WorkEndedError(ended) from ended


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Look at the exception, so that asyncio does not report one nobody waited for."""
    if not task.cancelled():
        task.exception()


def _refusal(why: Reason, retry_after: float | None = None) -> Unavailable:
    kind = EngineMissing if why.code == "engine_missing" else Unavailable
    return kind(why.message, fix=why.fix, code=why.code, retry_after=retry_after)
