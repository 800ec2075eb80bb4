"""The first visit: from nothing to a chat, on a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import scenarios
from acts import expect, finished, send
from axe import violations
from stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from acts import OpenWindow
    from fake_api import FakeVenom


@pytest.fixture
def nothing(tmp_path: Path) -> Iterator[Stage]:
    """A server without a model, and one to be had."""
    with Stage(tmp_path / "home", STAGE_SCENE="empty") as running:
        yield running


def test_a_click_gets_a_model_and_lands_in_a_chat(nothing: Stage, open_window: OpenWindow) -> None:
    page = open_window(nothing.url)
    expect(page.get_by_role("heading", name="Get your first model")).to_be_visible()
    expect(page.get_by_text("Scripted is ready: it runs models on this machine")).to_be_visible()
    card = page.get_by_role("article", name="Tiny talk")
    for fact in ("Small talk in English.", "5 MB", "fits", "Scripted"):
        expect(card).to_contain_text(fact)
    card.get_by_role("button", name="Get Tiny talk").click()
    expect(page.get_by_role("button", name="Model: tiny")).to_be_visible(timeout=20_000)
    expect(page.locator("#message")).to_be_focused()
    answer = finished(send(page, "hi"))
    expect(answer.get_by_test_id("answer-text")).to_have_text("Tiny says hello.")


def test_what_was_begun_is_still_shown_after_a_reload(
    nothing: Stage, open_window: OpenWindow
) -> None:
    page = open_window(nothing.url, bypass_csp=True, reduced_motion="reduce")
    expect(page.get_by_role("button", name="Get Tiny talk")).to_be_visible()
    assert violations(page) == []
    page.goto(f"{nothing.url}/models#get")
    page.get_by_label("Name of the model").fill("scripted://large")
    page.keyboard.press("Enter")
    going = page.get_by_role("region", name="Being fetched")
    expect(going).to_contain_text("left")
    page.reload()
    expect(going.get_by_role("button", name="Pause")).to_be_visible()
    assert violations(page) == []
    going.get_by_role("button", name="Cancel").click()
    expect(going).to_have_count(0)


@pytest.mark.refusals(404)
def test_a_name_that_nobody_has_says_so(nothing: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{nothing.url}/models#get")
    page.get_by_label("Name of the model").fill("nowhere://nothing")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("error")).to_be_visible()


def test_a_model_that_cannot_be_fetched_now_has_its_command(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    fake.scenario = scenarios.empty()
    page = open_window(fake.url)
    card = page.get_by_role("article", name="Gemma 3 4B")
    expect(card).to_contain_text(scenarios.NEEDS_OLLAMA)
    expect(card).to_contain_text("venom run gemma3:4b")
    expect(card.get_by_role("button", name="Get Gemma 3 4B")).to_have_count(0)
    expect(page.get_by_role("article", name="Gemma 3 27B")).to_contain_text("does not fit")
    expect(page.get_by_text("14.2 GB of 25.3 GB memory free")).to_be_visible()
    assert fake.pulls == []


def test_a_demonstration_model_says_what_it_is_for(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    fake.scenario = scenarios.demo()
    page = open_window(fake.url)
    expect(page.get_by_test_id("demo-note")).to_contain_text(scenarios.DEMO_NOTE)
    page.get_by_text("Get a model for real work").click()
    expect(page.get_by_role("article", name="Gemma 3 4B")).to_be_visible()


def test_a_model_can_be_had_whatever_is_there(stage: Stage, open_window: OpenWindow) -> None:
    page = open_window(stage.url)
    page.get_by_role("link", name="Get a model").click()
    expect(page.get_by_role("tab", name="Get a model")).to_have_attribute("aria-selected", "true")
    # The stage has no source: that is said, and nothing to search with is drawn.
    expect(page.get_by_text("No source that can be searched is there.")).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_count(0)
