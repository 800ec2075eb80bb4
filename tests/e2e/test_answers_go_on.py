"""Answers that the server finishes: on the real server, whose engine plays scripts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from acts import OpenWindow, choose, expect, finished, send, talk_to
from axe import violations
from stage import Stage

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.e2e


def answer(page: Page) -> Locator:
    return page.get_by_test_id("answer").last


def begun(page: Page) -> Locator:
    """The answer, once it has words."""
    expect(answer(page)).to_contain_text("word1", timeout=20_000)
    return answer(page)


def asked(stage: Stage, open_window: OpenWindow, model: str = "steady") -> Page:
    """Ask a model of the stage something; the page."""
    page = talk_to(model, stage, open_window)
    send(page, "Tell me")
    return page


def stop(page: Page) -> None:
    page.get_by_role("button", name="Stop").click()
    expect(finished(answer(page))).to_contain_text("Stopped.")


def test_a_reload_in_mid_answer_finds_it_going_on(stage: Stage, open_window: OpenWindow) -> None:
    page = asked(stage, open_window)
    begun(page)
    page.reload()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    assert "word239" in finished(begun(page), 40).inner_text()
    expect(page.get_by_test_id("answer")).to_have_count(1)
    page.reload()
    assert "word239" in finished(begun(page)).inner_text()


def test_a_reload_in_the_rest_of_a_cut_answer_finds_it_going_on(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = asked(stage, open_window)
    begun(page)
    stop(page)
    words = answer(page).get_by_test_id("answer-text")
    beginning = words.inner_text()
    page.get_by_role("button", name="Continue the answer").click()
    rest = re.compile(re.escape(beginning) + r".*word1 .*word2 ", re.DOTALL)
    expect(words).to_have_text(rest, timeout=20_000)
    page.reload()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(words).to_have_text(rest)
    said = finished(answer(page), 40).get_by_test_id("answer-text").inner_text()
    assert said.startswith(beginning) and said.endswith("word239")
    # Where it was cut behind the word, no blank follows it yet.
    assert said.split().count("word2") == beginning.split().count("word2") + 1
    arrows = page.get_by_role("group", name="Branches of the answer")
    expect(arrows).to_contain_text("2 of 2")
    # The branch that is shown is found again too.
    arrows.get_by_role("button", name="Branch before").click()
    expect(words).to_have_text(beginning)
    page.reload()
    expect(words).to_have_text(beginning)
    expect(arrows).to_contain_text("1 of 2")


def test_a_reload_in_mid_answer_after_results_finds_it_going_on(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = asked(stage, open_window, "tools")
    result = page.get_by_role("textbox", name="Result of get_weather")
    result.fill("rain")
    choose(page, "steady")
    result.press("Tab")
    page.keyboard.press("Enter")
    begun(page)
    page.reload()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    given = page.get_by_role("region", name="Result of get_weather, given by hand")
    expect(given).to_contain_text("rain")
    assert "word239" in finished(begun(page), 40).inner_text()
    expect(page.get_by_test_id("answer")).to_have_count(2)


def both(page: Page) -> Locator:
    return page.get_by_role("region", name="Two answers to one question")


def asked_both(stage: Stage, open_window: OpenWindow, **options: Any) -> Page:
    """Ask two models of the stage at once, and wait until both answer."""
    page = talk_to("steady", stage, open_window, **options)
    page.get_by_role("button", name="Ask a second model too").click()
    page.get_by_role("menuitem", name="wordy").click()
    expect(page.get_by_test_id("second-model")).to_have_text("wordy answers too")
    expect(page.locator("#message")).to_be_focused()
    send(page, "Tell me")
    under_way(page)
    return page


def under_way(page: Page) -> None:
    """Wait until both answers have words, and neither has ended."""
    answers = both(page).get_by_test_id("answer")
    expect(answers).to_have_count(2)
    for at, word in enumerate(("word1 ", "wort1 ")):
        expect(answers.nth(at)).to_contain_text(word, timeout=20_000)
        expect(answers.nth(at)).to_have_attribute("aria-busy", "true")


def test_two_models_answer_at_once_and_a_reload_finds_both_going_on(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = asked_both(stage, open_window)
    page.reload()
    under_way(page)
    answers = both(page).get_by_test_id("answer")
    for at, (model, word) in enumerate((("steady", "word239"), ("wordy", "wort239"))):
        said = finished(answers.nth(at), 40)
        expect(said).to_contain_text(word)
        expect(said.get_by_test_id("figures")).to_contain_text(f"scripted://{model}")
    page.reload()
    expect(answers).to_have_count(2)
    expect(page.get_by_role("article", name="You")).to_have_text("Tell me")
    both(page).get_by_role("button", name="Go on with this answer").click()
    expect(both(page)).to_contain_text("The conversation goes on from this answer")
    page.get_by_role("button", name="Do not ask wordy any more").click()
    expect(page.locator("#message")).to_be_focused()


def test_stop_stops_both(stage: Stage, open_window: OpenWindow) -> None:
    phone = {"width": 390, "height": 800}
    page = asked_both(stage, open_window, viewport=phone, color_scheme="dark", bypass_csp=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []
    page.get_by_role("button", name="Stop").click()
    answers = both(page).get_by_test_id("answer")
    for at in range(2):
        expect(finished(answers.nth(at))).to_contain_text("Stopped.")
    expect(both(page)).not_to_contain_text(re.compile("w.r[dt]239"))


@pytest.mark.refusals(401)
def test_signing_out_in_mid_answer_stops_it_and_leaves_nothing_on_the_screen(
    stage: Stage, open_window: OpenWindow
) -> None:
    page: Page = open_window(f"{stage.url}/keys")
    page.get_by_role("button", name="New key").click()
    made = page.get_by_role("dialog", name="New key")
    expect(made.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("owner")
    page.keyboard.press("Enter")
    key = made.get_by_label("The new key").inner_text()
    made.get_by_role("button", name="I have kept it").click()
    page.goto(stage.url)
    choose(page, "steady")
    send(page, "Tell me a secret")
    begun(page)
    page.get_by_role("button", name="Sign out").click()
    dialog = page.get_by_role("dialog", name="This server wants a key")
    field = dialog.get_by_label("API key")
    expect(field).to_be_visible()
    assert page.url == f"{stage.url}/"
    assert not re.search(r"word\d|secret", page.content())
    for place in ("localStorage", "sessionStorage"):
        kept = page.evaluate(f"JSON.stringify({place})")
        assert "secret" not in kept and "venom.branch" not in kept
    field.fill(key)
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    page.get_by_role("navigation", name="Chats").get_by_text("Tell me a secret").click()
    expect(finished(begun(page))).to_contain_text("Stopped.")
    expect(answer(page)).not_to_contain_text("word239")


def test_an_answer_goes_on_behind_another_conversation(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = asked(stage, open_window)
    begun(page)
    page.get_by_role("link", name="New chat").click()
    expect(page.get_by_test_id("answer")).to_have_count(0)
    page.get_by_role("navigation", name="Chats").get_by_role("link", name="Tell me").click()
    assert "word239" in finished(begun(page), 40).inner_text()


def test_two_tabs_hear_one_answer_and_either_stops_it(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = asked(stage, open_window)
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
    page = asked(stage, open_window)
    begun(page)
    url = page.url
    page.goto("about:blank")
    stage.restart()
    page.goto(url)
    said = finished(begun(page))
    expect(said).to_contain_text("The server ended in the midst of this answer.")
