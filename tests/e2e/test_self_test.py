"""The self-test of a model on the page, by a real server that asks its own engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from acts import expect
from axe import violations
from stage import Stage

from venom_core.testing.deadlines import eventually, patience

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from acts import OpenWindow
    from playwright.sync_api import Locator, Page


@pytest.fixture
def examined(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path / "home", STAGE_SCENE="examined") as running:
        yield running


def kept(stage: Stage, name: str) -> list[dict[str, Any]]:
    url = f"{stage.url}/api/v1/models/scripted%3A%2F%2F{name}/selftest"
    rows: list[dict[str, Any]] = httpx.get(url).raise_for_status().json()["rows"]
    return rows


def began(stage: Stage, name: str) -> httpx.Response:
    """Test a model as another program does, to the end."""
    url = f"{stage.url}/api/v1/models/scripted%3A%2F%2F{name}/selftest/run"
    return httpx.post(url, timeout=patience(60))


def opened(page: Page, name: str) -> Locator:
    """The details of a model, at its self-test."""
    page.get_by_role("button", name=f"Details of {name}").click()
    dialog = page.get_by_role("dialog", name=name)
    dialog.get_by_role("tab", name="Self-test").click()
    return dialog


def test_a_model_is_tested_and_what_it_can_do_is_verified(
    examined: Stage, open_window: OpenWindow
) -> None:
    page = open_window(f"{examined.url}/models")
    card = page.get_by_role("article", name="able")
    expect(card).to_contain_text("chat: as its source says, not tested")
    dialog = opened(page, "able")
    expect(dialog).to_contain_text("It was not tested yet")
    dialog.get_by_role("button", name="Test this model").press("Enter")
    expect(dialog.get_by_text("Tested. What it can do is shown")).to_be_visible(timeout=30_000)
    expect(dialog.get_by_text("chat: verified by a self-test")).to_be_attached()
    expect(dialog.get_by_text("engine scripted")).to_be_visible()
    expect(dialog.get_by_role("row", name="a chat works")).to_be_visible()
    expect(dialog.get_by_role("row", name="images")).to_contain_text("not supported")
    expect(dialog.get_by_role("row", name="the longest answer")).to_contain_text("2 tokens of 3")
    assert len(kept(examined, "able")) == 37
    page.keyboard.press("Escape")
    expect(card).to_contain_text("chat: verified by a self-test")
    expect(card).to_contain_text("tools: did not work in the self-test")
    page.reload()
    expect(opened(page, "able")).to_contain_text("Last tested on")


def test_it_goes_on_behind_a_closed_window_and_a_cancelled_one_is_not_kept(
    examined: Stage, open_window: OpenWindow
) -> None:
    page = open_window(f"{examined.url}/models")
    dialog = opened(page, "tiring")
    dialog.get_by_role("button", name="Test this model").click()
    expect(dialog.get_by_text("Question 3 of 37: going on with a text")).to_be_visible()
    progress = dialog.get_by_role("progressbar", name="Questions answered")
    expect(progress).to_have_attribute("value", "2")
    expect(dialog.get_by_role("row", name="a chat works")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Being tested: 2 of 37").click()
    expect(dialog.get_by_role("tab", name="Self-test")).to_have_attribute("aria-selected", "true")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog.get_by_text("Cancelled. Nothing of it was kept.")).to_be_visible()
    expect(dialog.get_by_role("row")).to_have_count(0)
    assert kept(examined, "tiring") == []
    # Its turn is over.
    page.keyboard.press("Escape")
    opened(page, "able").get_by_role("button", name="Test this model").click()
    expect(page.get_by_text("Tested. What it can do is shown")).to_be_visible(timeout=30_000)


@pytest.mark.refusals(409)
def test_one_is_made_at_a_time_and_a_reload_ends_it(
    examined: Stage, open_window: OpenWindow
) -> None:
    first, second = (open_window(f"{examined.url}/models") for _ in range(2))
    opened(first, "tiring").get_by_role("button", name="Test this model").click()
    expect(first.get_by_text("Question 3 of 37")).to_be_visible()
    dialog = opened(second, "able")
    dialog.get_by_role("button", name="Test this model").click()
    expect(dialog.get_by_test_id("error")).to_contain_text("selftest_running")
    expect(dialog.get_by_test_id("error")).to_contain_text("scripted://tiring")
    first.reload()
    assert eventually(lambda: began(examined, "down").status_code == 200)
    dialog.get_by_role("button", name="Test this model").click()
    expect(dialog.get_by_text("Tested. What it can do is shown")).to_be_visible(timeout=30_000)
    # The window that was reloaded hears of it.
    expect(first.get_by_role("article", name="able")).to_contain_text("chat: verified")


def test_an_engine_that_is_down_says_why_and_another_place_is_named(
    examined: Stage, open_window: OpenWindow
) -> None:
    page = open_window(f"{examined.url}/models")
    dialog = opened(page, "down")
    expect(dialog).to_contain_text("It runs on gpu.example: the questions are sent there")
    dialog.get_by_role("button", name="Test this model").click()
    expect(dialog.get_by_test_id("error")).to_contain_text("Start the engine.")
    assert kept(examined, "down") == []


def test_the_try_of_a_plugin_leads_to_the_whole_test(stage: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{stage.url}/plugins")
    page.get_by_role("button", name="Self-test: Scripted").click()
    link = page.get_by_role("link", name="Test all that")
    link.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("tab", name="Self-test")).to_have_attribute("aria-selected", "true")
    expect(dialog.get_by_role("button", name="Test this model")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert page.url == f"{stage.url}/models"


def test_the_table_has_no_violation_on_a_phone_in_polish(
    examined: Stage, open_window: OpenWindow
) -> None:
    assert "event: done" in began(examined, "able").text
    page = open_window(
        f"{examined.url}/models#selftest=scripted%3A%2F%2Fable", bypass_csp=True,
        color_scheme="dark", reduced_motion="reduce", viewport={"width": 390, "height": 844},
        locale="pl-PL",
    )  # fmt: skip
    expect(page.get_by_role("tab", name="Próba")).to_be_in_viewport(ratio=0.9)
    expect(page.get_by_role("row", name="rozmowa działa")).to_be_visible()
    expect(page.get_by_text("tokenów w odpowiedzi: 2 z 3")).to_be_visible()
    assert violations(page) == []
