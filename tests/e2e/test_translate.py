"""Translation in two panes, on a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from acts import expect, post

if TYPE_CHECKING:
    from acts import OpenWindow
    from playwright.sync_api import Locator, Page
    from stage import Stage

TEXT = "Hello {name}, see https://example.org/a?b=1."


def use(stage: Stage, model: str) -> None:
    """Make a model the one that translates."""
    body = {"name": f"scripted://{model}", "role": "translation"}
    assert post(f"{stage.url}/api/v1/models/switch", body).status_code == 200


def pane(page: Page) -> Locator:
    return page.get_by_test_id("translation")


def said(page: Page) -> Locator:
    return page.get_by_role("region", name="Translation").get_by_role("status")


def test_a_text_is_translated_and_what_stays_is_marked(
    stage: Stage, open_window: OpenWindow
) -> None:
    use(stage, "translator")
    page = open_window(f"{stage.url}/translate")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    expect(page.get_by_text("scripted://translator translates, on this machine.")).to_be_visible()
    page.get_by_label("Into").select_option("Polish")
    page.get_by_role("textbox", name="Text", exact=True).fill(TEXT)
    expect(page.get_by_text("44 of 20,000 characters")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(pane(page)).to_have_text("Witaj {name}, zobacz https://example.org/a?b=1.")
    expect(pane(page).locator("mark")).to_have_text(["{name}", "https://example.org/a?b=1"])
    expect(said(page)).to_have_text(
        "The translation is ready. Translated by scripted://translator."
    )
    page.get_by_role("button", name="Copy the translation").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "Witaj {name}, zobacz https://example.org/a?b=1."
    page.get_by_role("button", name="Translate", exact=True).click()
    expect(said(page)).to_contain_text("It was kept from before.")
    page.get_by_role("button", name="Translate anew").click()
    expect(said(page)).to_have_text(
        "The translation is ready. Translated by scripted://translator."
    )
    page.get_by_role("button", name="Swap the languages").click()
    expect(page.get_by_label("From")).to_have_value("pl")
    expect(page.get_by_label("Into")).to_have_value("en")
    expect(page.get_by_role("textbox", name="Text", exact=True)).to_have_value(copied)
    expect(pane(page)).to_contain_text("The translation appears here.")


def test_it_is_stopped_and_says_that_it_is_not_whole(stage: Stage, open_window: OpenWindow) -> None:
    use(stage, "slow")
    page = open_window(
        f"{stage.url}/translate", locale="pl-PL", viewport={"width": 390, "height": 844}
    )
    expect(page.get_by_label("Na język")).to_have_value("pl")
    page.get_by_role("textbox", name="Tekst", exact=True).fill("Good day")
    page.get_by_role("button", name="Tłumacz", exact=True).click()
    expect(pane(page)).to_contain_text("word3")
    stop = page.get_by_role("button", name="Zatrzymaj")
    expect(stop).to_be_focused()
    page.keyboard.press("Escape")
    status = page.get_by_role("region", name="Przekład").get_by_role("status")
    expect(status).to_contain_text("nie jest całe")
    expect(pane(page)).to_have_attribute("aria-busy", "false")
    expect(pane(page)).not_to_contain_text("word99")


def test_no_model_that_can_is_said_before_anything_is_typed(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = open_window(f"{stage.url}/translate")
    refusal = page.get_by_role("group", name="model_not_capable")
    expect(refusal).to_contain_text("can translate")
    expect(refusal).to_contain_text("Choose a model that can")
    page.get_by_label("Model for translation").select_option("scripted://translator")
    expect(refusal).to_have_count(0)
    expect(page.get_by_text("scripted://translator translates")).to_be_visible()


@pytest.mark.refusals(502)
def test_a_translation_that_lost_something_is_refused(
    stage: Stage, open_window: OpenWindow
) -> None:
    use(stage, "careless")
    page = open_window(f"{stage.url}/translate")
    page.get_by_role("textbox", name="Text", exact=True).fill(TEXT)
    page.get_by_role("button", name="Translate", exact=True).click()
    expect(page.get_by_role("group", name="translation_damaged")).to_be_visible()


def test_a_text_that_is_too_long_is_not_sent(stage: Stage, open_window: OpenWindow) -> None:
    use(stage, "translator")
    page = open_window(f"{stage.url}/translate")
    page.get_by_role("textbox", name="Text", exact=True).fill("a" * 20_001)
    expect(page.get_by_text("translate it in parts")).to_be_visible()
    expect(page.get_by_role("button", name="Translate", exact=True)).to_be_disabled()
