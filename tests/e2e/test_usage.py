"""Usage by model, key and day, on a real server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from acts import expect, finished, post, send

if TYPE_CHECKING:
    from acts import OpenWindow
    from playwright.sync_api import Locator, Page
    from stage import Stage


def chat(stage: Stage, model: str, key: str | None = None) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    post(f"{stage.url}/v1/chat/completions", body, key)


def figure(page: Page, name: str) -> Locator:
    """The sum under a name."""
    totals = page.get_by_role("region", name="Altogether")
    return totals.locator("dl > div").filter(has_text=name).locator("dd")


def rows(page: Page) -> Locator:
    return page.get_by_role("region", name="By whom and what: ").locator("tbody tr")


def test_nothing_was_asked_and_after_a_chat_it_is_counted(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = open_window(f"{stage.url}/usage")
    expect(page.get_by_text("Nothing was asked of a model in this time.")).to_be_visible()
    page.get_by_role("link", name="Ask something").click()
    finished(send(page, "hi"))
    page.get_by_role("link", name="Usage").click()
    expect(figure(page, "Requests")).to_have_text("1")
    for chart in ("Requests a day", "Tokens a day", "Tokens a day of the most used"):
        drawn = page.get_by_role("figure", name=chart, exact=True)
        expect(drawn.locator("canvas")).to_be_visible()
        drawn.get_by_role("button", name=f"{chart}: as a table").click()
        expect(drawn.get_by_role("table")).to_be_visible()
    twin = page.get_by_role("figure", name="Requests a day", exact=True).locator("tbody tr")
    expect(twin.first.locator("td").first).to_have_text("1")


def test_by_model_key_and_day(stage: Stage, open_window: OpenWindow) -> None:
    for model in ("hello", "hello", "markdown", "nothing"):
        chat(stage, model)
    page = open_window(f"{stage.url}/usage")
    expect(figure(page, "Requests")).to_have_text("3")
    expect(figure(page, "Refused")).to_have_text("1")
    expect(page.get_by_text("model_not_found")).to_be_visible()
    expect(rows(page)).to_have_count(3)
    expect(rows(page).first).to_contain_text("scripted://hello")
    expect(rows(page).last).to_contain_text("no known model")
    page.get_by_label("Broken down by").select_option("keys")
    expect(rows(page)).to_have_count(1)
    expect(rows(page).first).to_contain_text("without a key")
    page.get_by_label("Broken down by").select_option("days")
    expect(rows(page)).to_have_count(1)
    page.get_by_label("Time").select_option("from one day to another")
    page.get_by_label("From day").fill("2020-01-01")
    page.get_by_label("To day").fill("2020-01-31")
    expect(page.get_by_text("Nothing was asked of a model in this time.")).to_be_visible()


def test_the_csv_has_the_lines_of_the_days_that_are_shown(
    stage: Stage, open_window: OpenWindow, tmp_path: Path
) -> None:
    chat(stage, "hello")
    page = open_window(f"{stage.url}/usage")
    page.get_by_label("Time").select_option("the last 7 days")
    link = page.get_by_role("link", name="Download as CSV")
    expect(link).to_have_attribute("href", re.compile(r"days=7"))
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename.startswith("venom-usage-")
    download.value.save_as(tmp_path / "usage.csv")
    lines = (tmp_path / "usage.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("day,key,provider,model,requests")
    assert len(lines) == 2 and ",scripted,hello,1," in lines[1]


@pytest.mark.refusals(401)
def test_usage_is_erased_after_a_question(stage: Stage, open_window: OpenWindow) -> None:
    made = post(f"{stage.url}/api/v1/keys", {"name": "owner"}).json()
    chat(stage, "hello", made["key"])
    page = open_window(f"{stage.url}/usage")
    page.get_by_label("API key").fill(made["key"])
    page.keyboard.press("Enter")
    expect(figure(page, "Requests")).to_have_text("1")
    page.get_by_label("Broken down by").select_option("keys")
    page.get_by_role("button", name="Erase the usage: owner").click()
    dialog = page.get_by_role("dialog", name="Erase the usage: owner")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Erase the usage: owner").click()
    dialog.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_text("Nothing was asked of a model in this time.")).to_be_visible()


@pytest.mark.refusals(401)
def test_a_key_that_may_only_chat_sees_its_own(stage: Stage, open_window: OpenWindow) -> None:
    owner = post(f"{stage.url}/api/v1/keys", {"name": "owner"}).json()["key"]
    body = {"name": "team", "scopes": ["chat"]}
    made = post(f"{stage.url}/api/v1/keys", body, owner).json()
    for key in (owner, owner, made["key"]):
        chat(stage, "hello", key)
    page = open_window(f"{stage.url}/usage")
    page.get_by_label("API key").fill(made["key"])
    page.keyboard.press("Enter")
    expect(page.get_by_text("You see what was asked with your own key.")).to_be_visible()
    expect(figure(page, "Requests")).to_have_text("1")
    page.get_by_label("Broken down by").select_option("keys")
    expect(rows(page)).to_have_count(1)
    expect(rows(page).first).to_contain_text("team")
    expect(page.get_by_role("button", name=re.compile("Erase"))).to_have_count(0)
