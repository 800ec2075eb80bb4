"""Every refusal in every place that keeps one: what comes out is what was raised."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.models.stages import Stage, StagedProvider
from tests.unit.models.test_registry import Shelf, registry_of
from venom_core.api.errors import error_response, openai_error
from venom_core.cli.connection import server
from venom_core.cli.connection.interface import Connection
from venom_core.models.operations import view
from venom_core.sdk import errors
from venom_core.sdk.errors import VenomError, restored
from venom_core.sdk.provider import Model
from venom_core.sdk.states import Health, ProviderStatus, Reason
from venom_core.store.audit import Actor
from venom_core.store.database import open_database
from venom_core.store.operations import Operation, OperationRepository


def classes(kind: type[VenomError] = VenomError) -> list[type[VenomError]]:
    """The tree of the SDK: what a plugin may raise."""
    subs = [sub for sub in kind.__subclasses__() if sub.__module__ == errors.__name__]
    return list(dict.fromkeys([kind, *(one for sub in subs for one in classes(sub))]))


ALL = classes()
MADE: dict[str, Callable[[type[VenomError]], VenomError]] = {
    "its own code": lambda kind: kind("It refuses.", fix="Wait.", param="model", retry_after=7),
    "another code": lambda kind: kind("It refuses.", code="acme_down", retry_after=7.0),
    "words alone": lambda kind: kind("It refuses."),
}
every = pytest.mark.parametrize("made", MADE)
refusals = pytest.mark.parametrize("kind", ALL)


def whole(error: VenomError) -> dict[str, Any]:
    return {**error.whole(), "class": type(error)}


def test_the_whole_tree_is_looked_at() -> None:
    assert len(ALL) >= 24


@every
@refusals
def test_a_reason_gives_back_what_it_was_made_of(kind: type[VenomError], made: str) -> None:
    error = MADE[made](kind)
    assert whole(Reason.of(error).error()) == whole(error)


@every
@refusals
async def test_what_kept_a_provider_from_listing(kind: type[VenomError], made: str) -> None:
    error = MADE[made](kind)
    registry = registry_of(a=Shelf(error=error))
    for _ in range(2):
        with pytest.raises(kind) as raised:
            await registry.resolve("a://x")
        assert whole(raised.value) == whole(error)


@every
@refusals
async def test_what_keeps_a_provider_from_being_switched_to(
    tmp_path: Path, kind: type[VenomError], made: str
) -> None:
    error = MADE[made](kind)
    health = Health(ProviderStatus.UNAVAILABLE, Reason.of(error))
    capable = Model("m", "folder", frozenset({"chat"}))
    stage = Stage(tmp_path, a=StagedProvider([capable], health=health))
    with pytest.raises(kind) as raised:
        await stage.manager.use("m", actor=Actor("local", "r"))
    assert whole(raised.value) == whole(error)


def failed(error: VenomError) -> Operation:
    return Operation(
        "1", "install", "failed", "a", "m", "m", error.message, "2026-11-02T00:00:00Z", error=error
    )


@every
@refusals
def test_what_failed_an_operation_is_in_the_store(
    tmp_path: Path, kind: type[VenomError], made: str
) -> None:
    error = MADE[made](kind)
    OperationRepository(open_database(tmp_path / "venom.db")).save(failed(error))
    kept = OperationRepository(open_database(tmp_path / "venom.db")).get("1")
    assert kept is not None
    assert kept.error is not None
    assert whole(kept.error) == whole(error)


def test_what_an_earlier_version_stored_is_read() -> None:
    old = {"code": "disk_full", "message": "Full.", "fix": None, "docs": "/docs/errors#disk_full",
           "param": None, "status": 507}  # fmt: skip
    error = restored(old)
    assert (type(error), error.code, error.status) == (errors.StorageError, "disk_full", 507)


def told(error: VenomError) -> tuple[object, ...]:
    """Return what has to survive a wire; where no class owns the code, the status stands for it."""
    return error.status, error.code, error.message, error.fix, error.param, error.retry_after


@every
@refusals
async def test_what_the_command_line_hears_of_a_failed_operation(
    kind: type[VenomError], made: str
) -> None:
    error = MADE[made](kind)
    follow = Connection.follow(object(), view(failed(error)))  # type: ignore[arg-type]
    with pytest.raises(VenomError) as raised:
        await anext(follow)
    assert told(raised.value) == told(error)
    if made != "another code":
        assert issubclass(kind, type(raised.value))


class Body(httpx.AsyncByteStream):
    def __init__(self, data: bytes) -> None:
        self.data = data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.data


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/v1/models"])
@every
@refusals
async def test_what_the_command_line_hears_from_a_server(
    kind: type[VenomError], made: str, path: str
) -> None:
    error = MADE[made](kind)
    sent = error_response({"type": "http", "path": path, "headers": []}, error)
    headers = {"retry-after": "7"} if error.retry_after else {}
    assert {k: v for k, v in sent.headers.items() if k == "retry-after"} == headers
    answer = httpx.Response(sent.status_code, headers=sent.headers, content=bytes(sent.body))
    heard = server._refusal(answer, answer.content)
    assert told(heard) == told(error)
    if made != "another code":
        assert issubclass(kind, type(heard))


@pytest.mark.parametrize("status", [405, 418, 422])
async def test_a_status_that_no_class_has_is_believed(status: int) -> None:
    answer = httpx.Response(status, json={"detail": "No.", "code": "acme"})
    heard = server._refusal(answer, answer.content)
    assert (heard.status, heard.code, heard.message) == (status, "acme", "No.")


@pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b'{"error": 7}', b'{"code": 7}'])
async def test_what_is_no_refusal_is_one_all_the_same(data: bytes) -> None:
    heard = server._refusal(httpx.Response(503), data)
    assert (type(heard), heard.status) == (errors.Unavailable, 503)
    assert heard.message == "The server answered 503."


@every
@refusals
def test_what_breaks_a_stream_off(kind: type[VenomError], made: str) -> None:
    error = MADE[made](kind)
    heard = server._broken_off(openai_error(error)["error"])
    assert (heard.code, heard.message, heard.fix) == (error.code, error.message, error.fix)
    if made != "another code":
        assert heard.status == error.status
    else:
        assert heard.type == error.type


def test_raised_again_and_again_nothing_grows() -> None:
    first = errors.RateLimited("Slowly.", retry_after=7)
    try:
        raise first
    except errors.RateLimited as error:
        reason = Reason.of(error)
    assert reason._error.__traceback__ is None, "the frames that raised it are let go"
    for _ in range(5):
        with pytest.raises(errors.RateLimited) as raised:
            raise reason.error(retry_after=3)
        assert len(traceback.extract_tb(raised.value.__traceback__)) == 1
        assert raised.value.__context__ is None
        raised.value.fix = "spoilt"
    assert (reason.fix, reason.error().retry_after) == (errors.RateLimited.default_fix, 7)
    assert reason.error() is not reason.error()


def test_a_reason_of_its_own_is_a_refusal_of_its_code() -> None:
    own = Reason("ollama_down", "It is down.", "Start it.")
    assert (type(own.error()), own.error().status) == (errors.Unavailable, 503)
    assert type(Reason("engine_missing", "x").error()) is errors.EngineMissing
    assert own == Reason.of(own.error())
    assert hash(own) == hash(Reason("ollama_down", "It is down.", "Start it."))
    with pytest.raises(AttributeError):
        own.code = "x"  # type: ignore[misc]


def test_the_link_leads_to_the_page_that_explains_the_code() -> None:
    assert Reason("ollama_down", "x").docs == "/docs/plugins/states#ollama_down"
    assert Reason("ollama_down", "x").error().docs == "/docs/plugins/states#ollama_down"
    assert Reason.of(errors.ModelNotFound("x")).docs == "/docs/errors#model_not_found"
