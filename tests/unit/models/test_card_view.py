"""The card of a model: its files, and the models among which to choose."""

from __future__ import annotations

from venom_core.models.catalogue import Answer
from venom_core.models.catalogue_views import card_view
from venom_core.models.transfer_rate import TransferRate
from venom_core.sdk.catalogue import CatalogueEntry, RepositoryCard, RepositoryFile
from venom_core.sdk.states import Reason

FILES = (
    RepositoryFile("big-1-of-2.gguf", 10, "a", fetched=False, ref="org/m:Q8_0"),
    RepositoryFile("big-2-of-2.gguf", 7, "b", fetched=False, ref="org/m:Q8_0"),
    RepositoryFile("small.gguf", 5, "c", fetched=True, ref="org/m:Q4_0"),
    RepositoryFile("README.md", 1, None, fetched=False),
)
CARD = RepositoryCard(CatalogueEntry("org/m"), "c0ffee", FILES, 5)


def test_parts_of_one_model_are_one_choice_and_the_smallest_comes_first() -> None:
    view = card_view("hf", "org/m", Answer(CARD, None))
    assert view["success"]
    assert view["choices"] == [
        {"label": "Q4_0", "reference": "hf://org/m:Q4_0", "size_bytes": 5, "chosen": True},
        {"label": "Q8_0", "reference": "hf://org/m:Q8_0", "size_bytes": 17, "chosen": False},
    ]
    assert [file["name"] for file in view["files"]] == [file.name for file in FILES]


def test_a_size_that_is_not_told_is_not_summed() -> None:
    files = (RepositoryFile("x.gguf", None, None, fetched=True, ref="org/m:X"),)
    card = RepositoryCard(CatalogueEntry("org/m"), None, files, None)
    assert card_view("hf", "org/m", Answer(card, None))["choices"][0]["size_bytes"] is None


def test_a_source_that_never_answered_says_why() -> None:
    reason = Reason("hub_unreachable", "It cannot be reached.", None)
    view = card_view("hf", "org/m", Answer(None, reason))
    assert not view["success"]
    assert (view["code"], view["model"], view["files"]) == ("hub_unreachable", None, [])


def test_a_rate_needs_two_moments() -> None:
    rate = TransferRate()
    rate.note(0, 100)
    assert rate.bytes_per_second is None
    rate._seen[0] = (rate._seen[0][0] - 2.0, 0)
    rate.note(50, 100)
    assert rate.bytes_per_second is not None
    assert 20 < rate.bytes_per_second <= 25
    assert rate.eta_seconds is not None
    assert 2 <= rate.eta_seconds < 2.6
