"""Look at answers and work with them, on a real server whose models follow scripts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from acts import expect, finished, send, talk_to
from axe import violations

from venom_core.testing.deadlines import eventually

if TYPE_CHECKING:
    from acts import OpenWindow
    from playwright.sync_api import Locator, Page
    from stage import Stage

PHONE = {"width": 390, "height": 800}


def asked(stage: Stage, open_window: OpenWindow, model: str, **options: object) -> Locator:
    """Ask a model of the stage something; its answer, when it is whole."""
    page = talk_to(model, stage, open_window, **options)
    return finished(send(page, f"a question to {model}"))


def reloaded(page: Page) -> None:
    """Load the page again, once the server keeps the conversation."""
    expect(page).to_have_url(re.compile("/c/"))
    origin, _, session = page.url.rpartition("/c/")
    found = f"{origin}/api/v1/sessions/{session}"
    assert eventually(lambda: page.wait_for_timeout(50) or page.request.get(found).ok)
    page.reload()


def test_formulas_are_set_and_prices_are_not(stage: Stage, open_window: OpenWindow) -> None:
    answer = asked(stage, open_window, "tex")
    expect(answer.locator(".katex")).to_have_count(3)
    expect(answer.locator(".katex-display")).to_have_count(1)
    expect(answer).to_contain_text("A ticket costs $5 and two cost $10.")
    # The font is the page's own, and it is there.
    page = answer.page
    page.wait_for_function(
        "[...document.fonts].some(one => one.family === 'KaTeX_Main' && one.status === 'loaded')"
    )


def test_code_has_its_language_colours_copy_and_wrap(stage: Stage, open_window: OpenWindow) -> None:
    answer = asked(stage, open_window, "code", permissions=["clipboard-read", "clipboard-write"])
    code = answer.get_by_role("region", name="Python")
    expect(code.locator(".hljs-comment").first).to_contain_text("wide wide")
    text = code.inner_text()
    answer.get_by_role("button", name="Copy the code").click()
    assert answer.page.evaluate("navigator.clipboard.readText()") == text.rstrip("\n")
    wide = "one => one.scrollWidth > one.clientWidth"
    assert code.evaluate(wide)
    wrap = answer.get_by_role("button", name="Wrap long lines")
    wrap.focus()
    answer.page.keyboard.press("Space")
    expect(wrap).to_have_attribute("aria-pressed", "true")
    assert not code.evaluate(wide)
    assert code.inner_text() == text


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, PHONE])
def test_a_table_scrolls_and_breaks_no_word(
    viewport: dict[str, int], stage: Stage, open_window: OpenWindow
) -> None:
    answer = asked(stage, open_window, "tables", viewport=viewport)
    cell = answer.get_by_role("cell", name="incomprehensibilities1")
    # One rectangle for each line that the words take.
    lines = """one => {
      const words = document.createRange();
      words.selectNodeContents(one);
      return words.getClientRects().length;
    }"""
    assert cell.evaluate(lines) == 1
    page = answer.page
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    if viewport == PHONE:
        table = answer.get_by_role("region", name="Table")
        assert table.evaluate("one => one.scrollWidth > one.clientWidth")
        table.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("one => one.scrollLeft > 0", arg=table.element_handle())


def test_a_picture_is_not_fetched_and_says_so(stage: Stage, open_window: OpenWindow) -> None:
    answer = asked(stage, open_window, "picture")
    picture = answer.get_by_role("link", name="Picture, not fetched: A cat")
    expect(picture).to_have_attribute("href", "https://example.org/cat.png")
    expect(answer.locator("img")).to_have_count(0)
    page = answer.get_by_role("link", name="a page")
    expect(page).to_have_attribute("rel", "noreferrer noopener")
    expect(page).to_have_attribute("target", "_blank")
    # What would lead into this page is no link of an answer.
    expect(answer.get_by_role("link", name="here")).to_have_count(0)


def test_thoughts_are_folded_with_their_time(stage: Stage, open_window: OpenWindow) -> None:
    answer = asked(stage, open_window, "reasoning")
    expect(answer.get_by_test_id("answer-text")).to_have_text("So be it.")
    thoughts = answer.get_by_text("Thoughts, ")
    expect(answer.get_by_text("First this, then that.")).to_have_count(0)
    thoughts.focus()
    answer.page.keyboard.press("Enter")
    expect(answer.get_by_text("First this, then that.")).to_be_visible()
    reloaded(answer.page)
    expect(thoughts).to_be_visible()


def test_under_an_answer_stands_who_made_it_where_and_how_fast(
    stage: Stage, open_window: OpenWindow
) -> None:
    answer = asked(
        stage, open_window, "markdown", permissions=["clipboard-read", "clipboard-write"]
    )
    figures = answer.get_by_test_id("figures")
    for part in ("scripted://markdown", "made on this machine", "first token", "5 tokens"):
        expect(figures).to_contain_text(part)
    answer.get_by_role("button", name="Copy as Markdown").click()
    assert "Here is a **small** program." in answer.page.evaluate("navigator.clipboard.readText()")


def test_a_call_of_a_tool_is_shown(stage: Stage, open_window: OpenWindow) -> None:
    answer = asked(stage, open_window, "tools")
    call = answer.get_by_role("region", name="The model calls get_weather")
    expect(call.get_by_role("region", name="JSON")).to_have_text(
        '{\n  "city": "Łódź",\n  "days": 3\n}'
    )
    reloaded(answer.page)
    expect(call.get_by_role("region", name="JSON")).to_contain_text("Łódź")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("model", ["tex", "code", "tables", "tools", "reasoning"])
def test_no_violation(model: str, scheme: str, stage: Stage, open_window: OpenWindow) -> None:
    answer = asked(stage, open_window, model, color_scheme=scheme, bypass_csp=True)
    assert violations(answer.page) == []


def branches(page: Page, of: str) -> Locator:
    return page.get_by_role("group", name=f"Branches of the {of}")


def test_a_question_is_asked_in_other_words_and_both_branches_stay(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = asked(stage, open_window, "hello").page
    send(page, "and then?")
    expect(page.get_by_test_id("figures")).to_have_count(2)
    edit = page.get_by_role("button", name="Edit the question").first
    edit.focus()
    page.keyboard.press("Enter")
    words = page.get_by_role("textbox", name="The question in other words")
    expect(words).to_be_focused()
    page.keyboard.press("Escape")
    expect(edit).to_be_focused()
    page.keyboard.press("Enter")
    words.fill("another question")
    page.keyboard.press("Enter")
    finished(page.get_by_test_id("answer").last)
    questions = page.get_by_role("article", name="You")
    expect(questions).to_have_count(1)
    expect(branches(page, "question")).to_contain_text("2 of 2")
    before = branches(page, "question").get_by_role("button", name="Branch before")
    before.focus()
    page.keyboard.press("Enter")
    expect(questions).to_have_text(["a question to hello1 of 2", "and then?"])
    # A step that leads nowhere keeps the focus.
    expect(before).to_be_focused()
    page.keyboard.press("Enter")
    expect(branches(page, "question")).to_contain_text("1 of 2")
    # What is asked now goes on from the branch that is shown.
    send(page, "further")
    expect(page.get_by_test_id("figures")).to_have_count(3)
    reloaded(page)
    expect(questions).to_have_count(3)
    branches(page, "question").get_by_role("button", name="Branch after").click()
    expect(questions).to_have_text(["another question2 of 2"])


def test_another_model_answers_beside_the_first(stage: Stage, open_window: OpenWindow) -> None:
    page = asked(stage, open_window, "hello").page
    page.get_by_role("button", name="Answer with another model").focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="markdown").click()
    answer = page.get_by_test_id("answer")
    expect(finished(answer)).to_contain_text("Here is a small program.")
    expect(answer.get_by_test_id("figures")).to_contain_text("scripted://markdown")
    expect(branches(page, "answer")).to_contain_text("2 of 2")
    branches(page, "answer").get_by_role("button", name="Branch before").click()
    expect(answer).to_contain_text("Hello there.")
    # The model of the conversation is still the first.
    answer.get_by_role("button", name="Answer again").click()
    expect(branches(page, "answer")).to_contain_text("3 of 3")
    expect(answer.get_by_test_id("figures")).to_contain_text("scripted://hello")


def test_an_answer_that_was_cut_goes_on(stage: Stage, open_window: OpenWindow) -> None:
    answer = asked(stage, open_window, "cut")
    page = answer.page
    expect(answer.get_by_test_id("ending")).to_have_text("The answer reached its length limit.")
    answer.get_by_role("button", name="Continue the answer").click()
    expect(branches(page, "answer")).to_contain_text("2 of 2")
    expect(answer.get_by_test_id("answer-text")).to_have_text("on and on and")
    branches(page, "answer").get_by_role("button", name="Branch before").click()
    expect(answer.get_by_test_id("answer-text")).to_have_text("on and")


def path_to(page: Page, question: str) -> list[str]:
    """Return what the server keeps before a question, and the question."""
    origin, _, session = page.url.rpartition("/c/")
    kept = page.request.get(f"{origin}/api/v1/sessions/{session}").json()["messages"]
    found = {one["id"]: one for one in kept}
    at = next(one for one in kept if one["content"] == question)
    path = [at["content"]]
    while at["parent_message_id"] is not None:
        at = found[at["parent_message_id"]]
        path.append(at["content"])
    return path[::-1]


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, PHONE])
def test_two_models_answer_side_by_side(
    viewport: dict[str, int], stage: Stage, open_window: OpenWindow
) -> None:
    page = asked(stage, open_window, "hello", viewport=viewport).page
    page.get_by_role("button", name="Compare with another model").click()
    page.get_by_role("menuitem", name="markdown").click()
    both = page.get_by_role("region", name="Two answers to one question")
    answers = both.get_by_test_id("answer")
    expect(answers).to_have_count(2)
    expect(answers.first).to_contain_text("Hello there.")
    expect(answers.last).to_contain_text("Here is a small program.")
    expect(both.get_by_test_id("figures")).to_have_count(2)
    one, two = (answers.nth(at).bounding_box() for at in (0, 1))
    assert one and two
    assert (one["y"] < two["y"]) if viewport == PHONE else (one["x"] < two["x"])
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    expect(both).to_contain_text("The conversation goes on from this answer")
    both.get_by_role("button", name="Go on with this answer").click()
    finished(send(page, "go on"))
    assert path_to(page, "go on") == ["a question to hello", "Hello there.", "go on"]
    both.get_by_role("button", name="Show one answer").click()
    expect(page.get_by_test_id("answer")).to_have_count(2)


def test_the_result_of_a_call_is_given_by_hand(stage: Stage, open_window: OpenWindow) -> None:
    page = asked(stage, open_window, "tools").page
    result = page.get_by_role("textbox", name="Result of get_weather")
    go_on = page.get_by_role("button", name="Go on with the result")
    expect(go_on).to_be_disabled()
    result.fill("rain")
    go_on.click()
    expect(page.get_by_role("region", name="Result of get_weather, given by hand")).to_have_text(
        "Result of get_weather, given by handrain"
    )
    # The model calls again; the first call has its result, and takes no other.
    expect(page.get_by_test_id("tool-call")).to_have_count(2)
    expect(result).to_have_count(1)
    finished(page.get_by_test_id("answer").last)
    reloaded(page)
    expect(page.get_by_role("region", name="Result of get_weather, given by hand")).to_be_visible()


def test_typing_keeps_up_with_5000_tokens(stage: Stage, open_window: OpenWindow) -> None:
    page = talk_to("long", stage, open_window)
    answer = send(page, "a question to long")
    typed = "the quick brown fox jumps over the lazy dog"
    page.keyboard.type(typed)
    expect(page.locator("#message")).to_have_value(typed)
    finished(answer, seconds=60)
    expect(answer.get_by_test_id("answer-text")).to_contain_text("word4999")
    expect(answer.get_by_test_id("figures")).to_contain_text("5,000 tokens")
