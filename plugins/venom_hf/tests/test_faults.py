"""Whatever goes wrong at the Hub ends in a refusal of the SDK's tree, soon and without a secret."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest

from plugins.venom_hf.tests.conftest import FILES, REPO, Opened, halves, pulled, tensors
from venom_core.sdk.catalogue import SearchFilters
from venom_core.sdk.errors import (
    Forbidden,
    InvalidRequest,
    ModelNotFound,
    NoDiskSpace,
    RateLimited,
    StorageError,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
    VenomError,
)
from venom_core.sdk.states import ProviderStatus
from venom_core.testing.deadlines import patience
from venom_core.testing.hub import TOKEN, FakeHub

NONE = SearchFilters()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, RateLimited), (500, UpstreamError), (503, UpstreamError), (404, ModelNotFound)],
)
async def test_an_answer_that_is_none(
    hub: FakeHub, opened: Opened, status: int, kind: type[VenomError]
) -> None:
    hub.statuses["/api/"] = status
    async with opened() as provider:
        with pytest.raises(kind) as refused:
            await provider.search("x", NONE, 5, 1)
        with pytest.raises(kind):
            await provider.card(REPO)
    assert refused.value.retry_after == (7 if status == 429 else None)
    # Asked once, and not again and again for half a minute.
    assert len(hub.asked("hub", "search=")) == 1


async def test_nobody_there(opened: Opened) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with (
        asyncio.timeout(patience(9)),
        opened(endpoint=f"http://127.0.0.1:{port}") as provider,
    ):
        assert (await provider.health()).status is ProviderStatus.READY
        for question in (provider.search("x", NONE, 5, 1), provider.card(REPO), pulled(provider)):
            with pytest.raises(Unavailable) as refused:
                await question
            assert refused.value.code == "hub_unreachable"
        health = await provider.health()
    assert health.status is ProviderStatus.DEGRADED
    assert health.reason is not None and health.reason.code == "hub_unreachable"


async def test_somebody_who_never_answers(opened: Opened) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with opened(endpoint=url, timeout=0.4) as provider:
            with pytest.raises(UpstreamTimeout):
                async with asyncio.timeout(patience(6)):
                    await provider.search("x", NONE, 5, 1)


async def test_questions_that_hang_do_not_stop_the_loop(hub: FakeHub, opened: Opened) -> None:
    """Ten at once, four threads: each is told within its time."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with opened(endpoint=url, timeout=0.4) as provider:
            asked = (provider.search("x", NONE, 5, 1) for _ in range(10))
            async with asyncio.timeout(patience(6)):
                answers = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(answer, UpstreamTimeout) for answer in answers)


async def test_offline_asks_nothing(hub: FakeHub, opened: Opened) -> None:
    hub.add(REPO, FILES)
    async with opened() as provider:
        await pulled(provider)
    hub.seen.clear()
    async with opened(offline=True) as provider:
        assert [model.ref for model in await provider.models()] == [REPO]
        for question in (provider.trending(5), provider.card(REPO), pulled(provider),
                         provider.news("blog", None, "en", 5)):  # fmt: skip
            with pytest.raises(Unavailable) as refused:
                await question
            assert refused.value.code == "hub_offline"
        health = await provider.health()
        await provider.remove(REPO)
        assert await provider.models() == []
    assert (health.status, health.reason and health.reason.code) == (
        ProviderStatus.DEGRADED, "hub_offline",
    )  # fmt: skip
    assert hub.seen == []


@pytest.mark.parametrize("token", [None, TOKEN])
async def test_terms_that_were_not_accepted(
    hub: FakeHub, opened: Opened, token: str | None, cache: object
) -> None:
    hub.add(REPO, FILES, gated="manual")
    async with opened(token=token) as provider:
        assert (await provider.card(REPO)).entry.gated is True
        with pytest.raises(Forbidden) as refused:
            await pulled(provider)
        assert await provider.models() == []
    assert refused.value.code == "model_gated"
    assert "HF_TOKEN" in (refused.value.fix or "")


async def test_accepted_terms_and_the_token_s_way(
    hub: FakeHub, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    """It goes to the Hub, not to the storage the Hub points at, and into no log."""
    caplog.set_level(logging.DEBUG)
    hub.add(REPO, FILES, gated="manual")
    hub.accepts.add(REPO)
    async with opened(token=TOKEN) as provider:
        await pulled(provider)
    storage = hub.asked("storage")
    assert storage
    assert all("authorization" not in one.headers for one in storage)
    resolved = hub.asked("hub", "/resolve/")
    assert resolved
    assert all(one.headers.get("authorization") == f"Bearer {TOKEN}" for one in resolved)
    assert not [one for one in hub.seen if TOKEN in one.path]
    assert TOKEN not in caplog.text


async def test_a_wrong_token_is_said_and_not_shown(
    hub: FakeHub, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hub.add(REPO, FILES)
    async with opened(token="hf_wrong_one") as provider:
        with pytest.raises(Unavailable) as refused:
            await provider.card(REPO)
    assert refused.value.code == "upstream_key_refused"
    assert "hf_wrong_one" not in f"{refused.value.record()}{caplog.text}"


async def test_pickles_are_not_fetched(hub: FakeHub, opened: Opened) -> None:
    hub.add(REPO, {"pytorch_model.bin": b"\x80\x04.", "config.json": b"{}"})
    async with opened() as provider:
        with pytest.raises(InvalidRequest) as refused:
            await pulled(provider)
    assert refused.value.code == "unsafe_weights"
    assert not hub.asked("hub", "/resolve/") and not hub.asked("storage")


async def test_a_pickle_under_a_harmless_name(hub: FakeHub, opened: Opened, cache) -> None:
    hub.add(REPO, {"model.safetensors": b"\x80\x04\x95" + b"x" * 100})
    async with opened() as provider:
        with pytest.raises(StorageError) as refused:
            await pulled(provider)
        assert await provider.models() == []
    assert refused.value.code == "digest_mismatch"
    assert not [path for path in cache.rglob("*") if path.is_file() and path.stat().st_size > 100]


async def test_a_wrong_digest_is_never_seen(hub: FakeHub, opened: Opened, cache) -> None:
    hub.add(REPO, FILES)
    hub.corrupt.add("model.safetensors")
    async with opened() as provider:
        with pytest.raises(StorageError) as refused:
            await pulled(provider)
        assert refused.value.code == "digest_mismatch"
        assert "model.safetensors" in refused.value.message
        assert await provider.models() == []
        assert not list(cache.rglob("model.safetensors")) and halves(cache) == []
        # What was wrong is gone; what is right now is fetched whole.
        hub.corrupt.clear()
        await pulled(provider)
        assert [model.ref for model in await provider.models()] == [REPO]


async def test_a_listing_that_lies_about_the_digest(hub: FakeHub, opened: Opened) -> None:
    hub.add(REPO, FILES)
    hub.lies.add("model.safetensors")
    async with opened() as provider:
        with pytest.raises(StorageError) as refused:
            await pulled(provider)
        assert refused.value.code == "digest_mismatch"
        assert await provider.models() == []


@pytest.mark.parametrize("status", [404, 429, 500])
async def test_a_storage_that_refuses(hub: FakeHub, opened: Opened, status: int) -> None:
    hub.add(REPO, FILES)
    hub.statuses["/blobs/"] = status
    async with opened() as provider:
        with pytest.raises(VenomError) as refused:
            await pulled(provider)
    if status == 429:
        assert isinstance(refused.value, RateLimited) and refused.value.retry_after == 7
        assert len(hub.asked("storage")) == 1, "nobody waits seven seconds and asks again"
    else:
        assert isinstance(refused.value, UpstreamError)
    assert "signature" not in str(refused.value.record())


async def test_no_room_on_the_disk(
    hub: FakeHub, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add(REPO, {"model.safetensors": tensors(5000)})
    monkeypatch.setattr("venom_core.sdk.disk.SPARE_BYTES", 10**18)
    async with opened() as provider:
        with pytest.raises(StorageError) as refused:
            await pulled(provider)
    assert isinstance(refused.value, NoDiskSpace) and refused.value.code == "disk_full"
    assert not hub.asked("storage")
