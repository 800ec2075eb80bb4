"""Search, what is in demand, cards and news, through the real client against the fake Hub."""

from __future__ import annotations

import pytest

from plugins.venom_hf.tests.conftest import FILES, REPO, Opened, gguf, tensors
from venom_core.sdk.catalogue import SearchFilters
from venom_core.sdk.errors import ModelNotFound, UpstreamError
from venom_core.testing.hub import TOKEN, FakeHub

NONE = SearchFilters()


async def test_search_with_filters(hub: FakeHub, opened: Opened) -> None:
    hub.add("acme/gemma-gguf", {"a.gguf": gguf()}, tags=["gguf", "license:mit"], downloads=10,
            likes=3, pipeline_tag="text-generation", gated="manual")  # fmt: skip
    hub.add("acme/gemma", FILES, tags=["safetensors", "license:gemma"], downloads=20,
            safetensors={"parameters": {"BF16": 1000, "F32": 10}, "total": 1010})  # fmt: skip
    hub.add("other/gemma", FILES, tags=["safetensors"])
    async with opened() as provider:
        everything = await provider.search("gemma", NONE, 10, 1)
        assert (len(everything.entries), everything.total) == (3, 3)
        filters = SearchFilters(author="acme", format="gguf", license="MIT", task="text-generation")
        (entry,) = (await provider.search("gemma", filters, 10, 1)).entries
        by_downloads = await provider.search("gemma", SearchFilters(sort="downloads"), 2, 1)
    assert entry.ref == "acme/gemma-gguf"
    assert (entry.title, entry.license, entry.gated, entry.likes) == ("gemma-gguf", "mit", True, 3)
    assert (entry.runtime, entry.size_bytes) == ("llamacpp", None)
    assert entry.updated_at == "2026-11-01T12:00:00Z"
    assert entry.tags[0] == "text-generation"
    first = by_downloads.entries[0]
    assert (first.ref, first.runtime, first.size_bytes) == ("acme/gemma", "vllm", 2040)


@pytest.mark.parametrize("longest", [500, 2])
async def test_pages_follow_one_another(
    hub: FakeHub, opened: Opened, monkeypatch: pytest.MonkeyPatch, longest: int
) -> None:
    monkeypatch.setattr("venom_hf.client.LONGEST_PAGE", longest)
    for number in range(7):
        hub.add(f"org/m{number}", FILES)
    async with opened() as provider:
        pages = [await provider.search("org", NONE, 3, page) for page in (1, 2, 3, 4)]
    found = [[entry.ref for entry in page.entries] for page in pages]
    assert found == [["org/m0", "org/m1", "org/m2"], ["org/m3", "org/m4", "org/m5"], ["org/m6"], []]
    assert [page.total for page in pages] == [None, None, 7, 7]


async def test_pages_of_another_place_are_not_asked(
    hub: FakeHub, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token would go there."""
    monkeypatch.setattr("venom_hf.client.LONGEST_PAGE", 2)
    for number in range(3):
        hub.add(f"org/m{number}", FILES)
    hub.next_page_at = hub.storage_url
    async with opened(token=TOKEN) as provider:
        page = await provider.search("org", NONE, 2, 2)
    assert (page.entries, page.total) == ((), None)
    assert not hub.asked("storage")


async def test_what_is_in_demand(hub: FakeHub, opened: Opened) -> None:
    hub.add("org/quiet", FILES, trendingScore=1, downloads=900, pipeline_tag="text-generation")
    hub.add("org/wanted", FILES, trendingScore=9, downloads=1, pipeline_tag="image-text-to-text")
    hub.add("org/pictures", FILES, trendingScore=99, pipeline_tag="text-to-image")
    async with opened() as provider:
        assert [entry.ref for entry in await provider.trending(2)] == ["org/wanted", "org/quiet"]
        # A mirror that knows no such order.
        hub.statuses["sort=trendingScore"] = 400
        assert [entry.ref for entry in await provider.trending(1)] == ["org/quiet"]


async def test_a_card(hub: FakeHub, opened: Opened) -> None:
    files = {**FILES, "pytorch_model.bin": b"x" * 50, "modeling.py": b"1"}
    commit = hub.add(REPO, files, gated="manual", cardData={"license": "gemma"})
    async with opened() as provider:
        card = await provider.card(REPO)
    assert (card.commit, card.entry.license, card.entry.gated) == (commit, "gemma", True)
    assert card.entry.size_bytes == len(FILES["model.safetensors"])
    assert card.download_bytes == sum(map(len, FILES.values()))
    assert card.terms_url == f"{hub.url}/{REPO}"
    by_name = {file.name: file for file in card.files}
    assert {name for name, file in by_name.items() if file.fetched} == set(FILES)
    weights = by_name["model.safetensors"]
    assert weights.sha256 is not None and weights.size_bytes == len(FILES["model.safetensors"])
    assert by_name["pytorch_model.bin"].why_not is not None


async def test_a_card_of_one_revision_and_of_one_file(hub: FakeHub, opened: Opened) -> None:
    old = hub.add(REPO, {"m-Q8_0.gguf": gguf(500), "m-Q4_K_M.gguf": gguf(300)}, revision="v1")
    hub.add(REPO, FILES)
    async with opened() as provider:
        card = await provider.card(f"{REPO}:Q8_0@v1")
        assert (card.commit, card.download_bytes) == (old, 504)
        with pytest.raises(ModelNotFound, match="has no Q3_K"):
            await provider.card(f"{REPO}:Q3_K@v1")
        with pytest.raises(ModelNotFound, match="no such revision"):
            await provider.card(f"{REPO}@v9")


async def test_a_card_without_anything_to_fetch_is_still_a_card(
    hub: FakeHub, opened: Opened
) -> None:
    hub.add(REPO, {"pytorch_model.bin": b"x"})
    async with opened() as provider:
        card = await provider.card(REPO)
    assert (card.download_bytes, [file.fetched for file in card.files]) == (None, [False])


FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Blog</title>
<item><title>Old &amp; good</title><link>https://huggingface.co/blog/old</link>
<pubDate>Wed, 01 Oct 2026 00:00:00 GMT</pubDate></item>
<item><title>New</title><link>https://huggingface.co/blog/new</link>
<description><![CDATA[<p>%s</p>]]></description>
<pubDate>Tue, 03 Nov 2026 10:30:00 +0200</pubDate></item>
<item><title>Bad</title><link>javascript:alert(1)</link></item>
</channel></rss>"""


async def test_the_blog(hub: FakeHub, opened: Opened) -> None:
    hub.feed = FEED % ("word " * 100)
    async with opened(token=TOKEN) as provider:
        items = await provider.news("blog", None, "en", 5)
        assert [item.title for item in items] == ["New", "Old & good"]
        assert items[0].published_at == "2026-11-03T08:30:00Z"
        assert len(items[0].summary) <= 240 and items[0].summary.endswith("word…")
        assert [item.title for item in await provider.news("blog", "2026-10", "pl", 5)] == [
            "Old & good"
        ]
        assert await provider.news("blog", "2020-01", "en", 5) == ()
    assert "authorization" not in hub.asked("hub", "feed")[0].headers


@pytest.mark.parametrize("feed", ["<rss", "<!DOCTYPE x [<!ENTITY a 'b'>]><rss/>", "{}"])
async def test_a_feed_that_is_none(hub: FakeHub, opened: Opened, feed: str) -> None:
    hub.feed = feed
    async with opened() as provider:
        with pytest.raises(UpstreamError):
            await provider.news("blog", None, "en", 5)


async def test_papers_of_a_month(hub: FakeHub, opened: Opened) -> None:
    hub.papers = [
        {
            "paper": {
                "id": "2610.1",
                "authors": [{"_id": "1", "name": "A. Author", "hidden": False}],
                "publishedAt": "2026-10-05T00:00:00.000Z",
                "title": "Attention again",
                "summary": "S" * 500,
            },
            "publishedAt": "2026-10-05T00:00:00.000Z",
            "title": "Attention again",
        }
    ]
    async with opened() as provider:
        (item,) = await provider.news("papers", "2026-10", "en", 5)
        assert await provider.news("papers", "2026-09", "en", 5) == ()
    assert (item.title, item.authors, item.source) == (
        "Attention again", ("A. Author",), "Hugging Face Papers",
    )  # fmt: skip
    assert item.url == f"{hub.url}/papers/2610.1"
    assert len(item.summary) == 240


async def test_the_token_goes_with_questions(hub: FakeHub, opened: Opened) -> None:
    hub.add("org/hidden", {"model.safetensors": tensors()}, private=True)
    async with opened(token=TOKEN) as provider:
        assert (await provider.card("org/hidden")).entry.ref == "org/hidden"
    async with opened() as provider:
        with pytest.raises(ModelNotFound, match="shows it to its owners only"):
            await provider.card("org/hidden")
