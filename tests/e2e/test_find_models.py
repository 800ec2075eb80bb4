"""Finding a model in a source: the search, the card, whether it fits, the way to get it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from acts import expect
from axe import violations
from shelf_plugin import AWAY
from stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from acts import OpenWindow
    from playwright.sync_api import Locator, Page


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Stage]:
    """A server with a source that can be searched."""
    with Stage(tmp_path / "home", STAGE_PLUGINS="shelf") as running:
        yield running


def search(page: Page, words: str) -> None:
    page.get_by_role("searchbox").fill(words)
    page.keyboard.press("Enter")


def looked_at(page: Page, title: str) -> Locator:
    page.get_by_role("button", name=f"Look closer at {title}", exact=True).click()
    return page.get_by_role("dialog", name=title, exact=True)


@pytest.mark.refusals(400)
def test_a_source_is_searched_page_by_page_and_narrowed(
    shelf: Stage, open_window: OpenWindow
) -> None:
    page = open_window(f"{shelf.url}/models#get")
    expect(page.get_by_role("article", name="Book 7")).to_be_visible()  # in demand
    search(page, "book")
    expect(page.get_by_text("12 models found")).to_be_visible()
    books = page.get_by_role("article")
    expect(books).to_have_count(10)
    first = page.get_by_role("article", name="Book 1", exact=True)
    for fact in ("Shelf · org/book-1", "mit", "1 download", "1 like", "Nov 2, 2026", "gguf"):
        expect(first).to_contain_text(fact)
    gated = page.get_by_role("article", name="Book 2", exact=True)
    expect(gated).to_contain_text("Its terms must be accepted first")
    page.get_by_role("button", name="Next page").click()
    expect(books).to_have_count(2)
    expect(page.get_by_role("button", name="Next page")).to_be_disabled()
    page.get_by_text("Narrow it down").click()
    page.get_by_label("Licence").select_option(label="mit")
    expect(page.get_by_text("6 models found")).to_be_visible()
    expect(books).to_have_count(6)
    page.get_by_label("Made for").select_option(label="translation")
    expect(page.get_by_text("The shelf does not sort by task.")).to_be_visible()
    page.get_by_role("searchbox").fill("")
    expect(page.get_by_role("heading", name="In demand now")).to_be_visible()


def test_a_card_shows_sizes_files_and_terms(shelf: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{shelf.url}/models#get")
    search(page, "book 2")
    dialog = looked_at(page, "Book 2")
    terms = dialog.get_by_role("link", name="Accept the terms there")
    expect(terms).to_have_attribute("href", "https://shelf.example/terms")
    expect(dialog.get_by_role("radio", name="Q4_K_M")).to_be_checked()
    expect(dialog.get_by_text("To fetch:").locator("..")).to_contain_text("5 MB")
    dialog.get_by_role("radio", name="Q8_0").check()
    expect(dialog.get_by_text("To fetch:").locator("..")).to_contain_text("9 MB")
    dialog.get_by_text("3 files").click()
    expect(dialog.get_by_role("row", name="book-Q4_K_M.gguf")).to_contain_text("yes")
    expect(dialog.get_by_role("row", name="book.bin")).to_contain_text("It may hold a program.")
    # It is got from here, in the size that was chosen.
    dialog.get_by_role("button", name="Get Book 2").click()
    expect(dialog.get_by_text("Ready")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Installed").click()
    expect(page.get_by_role("article", name="book-2:Q8_0")).to_be_visible()


def test_whether_it_fits_follows_the_context_by_keyboard(
    shelf: Stage, open_window: OpenWindow
) -> None:
    page = open_window(f"{shelf.url}/models#get")
    search(page, "book 1")
    fit = looked_at(page, "Book 1").get_by_role("region", name="Does it fit")
    slider = fit.get_by_role("slider", name="Context")
    verdict = fit.get_by_role("status").first
    slider.focus()
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "1,048,576 tokens")
    expect(verdict).to_contain_text("Does not fit")
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "512 tokens")
    expect(verdict).to_contain_text("Fits this machine")
    expect(fit.get_by_role("region", name="What takes the memory")).to_contain_text("5 MB")
    fit.get_by_role("button", name="Take the longest that fits").click()
    expect(verdict).to_contain_text(re.compile("Fits this machine|Only just"))
    expect(slider).not_to_have_attribute("aria-valuetext", "512 tokens")


def test_a_source_that_is_away_says_so(shelf: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{shelf.url}/models#get")
    (shelf.home / AWAY).touch()
    search(page, "book 3")
    trouble = page.get_by_test_id("source-trouble")
    expect(trouble).to_contain_text("The shelf cannot be reached.")
    expect(trouble).to_contain_text("Connect this machine to a network.")
    expect(page.get_by_role("article", name="Book 3")).to_have_count(0)


def test_no_violation_in_a_card_on_a_phone(shelf: Stage, open_window: OpenWindow) -> None:
    page = open_window(
        f"{shelf.url}/models#get", bypass_csp=True, color_scheme="dark", reduced_motion="reduce",
        viewport={"width": 390, "height": 844},
    )  # fmt: skip
    search(page, "book 2")
    dialog = looked_at(page, "Book 2")
    dialog.get_by_text("3 files").click()
    expect(dialog.get_by_role("slider")).to_be_attached()
    assert violations(page) == []
