"""Answers that the server finishes: on the real server, whose engine plays scripts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from acts import OpenWindow, expect, finished, send
from stage import Stage

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.e2e


def model(page: Page, name: str) -> None:
    """Choose a model, as the page keeps the choice."""
    page.evaluate("name => localStorage.setItem('venom.model', name)", name)
    page.reload()
    expect(page.get_by_role("button", name=f"Model: {name}")).to_be_visible()


def answer(page: Page) -> Locator:
    return page.get_by_test_id("answer").last


def begun(page: Page) -> Locator:
    """The answer, once it has words."""
    expect(answer(page)).to_contain_text("word1", timeout=20_000)
    return answer(page)


def test_a_reload_in_mid_answer_finds_it_going_on(stage: Stage, open_window: OpenWindow) -> None:
    page = open_window(stage.url)
    model(page, "steady")
    send(page, "Tell me")
    begun(page)
    page.reload()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    assert "word239" in finished(begun(page), 40).inner_text()
    expect(page.get_by_test_id("answer")).to_have_count(1)
    page.reload()
    assert "word239" in finished(begun(page)).inner_text()


def test_an_answer_goes_on_behind_another_conversation(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = open_window(stage.url)
    model(page, "steady")
    send(page, "Tell me")
    begun(page)
    page.get_by_role("link", name="New chat").click()
    expect(page.get_by_test_id("answer")).to_have_count(0)
    page.get_by_role("navigation", name="Chats").get_by_role("link", name="Tell me").click()
    assert "word239" in finished(begun(page), 40).inner_text()


def test_two_tabs_hear_one_answer_and_either_stops_it(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = open_window(stage.url)
    model(page, "steady")
    send(page, "Tell me")
    begun(page)
    other = page.context.new_page()
    other.goto(page.url)
    begun(other)
    other.get_by_role("button", name="Stop").click()
    for one in (page, other):
        said = finished(answer(one)).inner_text()
        assert "word239" not in said
        expect(answer(one)).to_contain_text(re.compile("stopped", re.IGNORECASE))
    kept = answer(page).get_by_test_id("answer-text").inner_text()
    other.reload()
    assert begun(other).get_by_test_id("answer-text").inner_text() == kept


def test_a_server_that_ends_keeps_what_was_said(stage: Stage, open_window: OpenWindow) -> None:
    page = open_window(stage.url)
    model(page, "steady")
    send(page, "Tell me")
    begun(page)
    url = page.url
    page.goto("about:blank")
    stage.restart()
    page.goto(url)
    said = finished(begun(page))
    expect(said).to_contain_text("The server ended in the midst of this answer.")
