"""Conversations live in the server: what a person does with them, and what may come between."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import scenarios
from acts import expect, finished, send
from fake_api import FakeVenom
from fake_sessions import ROOM_USED, STORE_FULL

from venom_core.testing.deadlines import eventually

if TYPE_CHECKING:
    from acts import OpenWindow
    from playwright.sync_api import Locator, Page

HELLO = "Hello! How can I help you today?"
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"


def chats(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Chats").get_by_role("link")


def said(page: Page) -> Locator:
    return page.get_by_role("article", name="You")


def kept(answer: Locator) -> Locator:
    """Wait until an answer is complete and its conversation has an address, which the page gives it
    once the server keeps it."""
    finished(answer)
    expect(answer.page).to_have_url(re.compile(r"/c/"))
    return answer


def soon(page: Page, condition: Any) -> bool:
    """Return whether the condition comes true while the page works."""
    return bool(eventually(lambda: page.wait_for_timeout(50) or condition()))


def test_a_conversation_is_kept_opened_and_found_by_its_address(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    page = open_window(fake.url)
    kept(send(page, "first question"))
    first = page.url
    page.get_by_role("link", name="New chat").click()
    expect(page.get_by_test_id("answer")).to_have_count(0)
    assert page.url == f"{fake.url}/"
    finished(send(page, "second question"))
    expect(chats(page)).to_have_text(["second question", "first question"])
    chats(page).get_by_text("first question").click()
    expect(said(page)).to_have_text("first question")
    assert page.url == first
    page.go_back()
    expect(said(page)).to_have_text("second question")
    page.goto(first)
    expect(said(page)).to_have_text("first question")
    expect(page.get_by_test_id("answer-text")).to_have_text(HELLO)
    messages = fake.sessions.of()[first.partition("/c/")[2]]["messages"]
    assert soon(page, lambda: len(messages) == 2)
    question, answer = messages
    assert (question["content"], answer["content"]) == ("first question", HELLO)
    assert answer["model"] == "ollama://gemma3:4b"
    details = answer["details"]
    assert (details["finish_reason"], details["usage"]["completion_tokens"]) == ("stop", 7)
    assert details["time_to_first_token_ms"] >= 0 and details["tokens_per_second"] > 0
    for place in ("localStorage", "sessionStorage"):
        assert "question" not in page.evaluate(f"JSON.stringify({place})")


def test_answering_again_keeps_both(fake: FakeVenom, open_window: OpenWindow) -> None:
    page = open_window(fake.url)
    answer = finished(send(page, "hi"))
    answer.get_by_role("button", name="Answer again").click()
    finished(page.get_by_test_id("answer").last)
    expect(page.get_by_test_id("answer")).to_have_count(1)
    kept(send(page, "and"))
    [messages] = [one["messages"] for one in fake.sessions.of().values()]
    assert soon(page, lambda: len(messages) == 5)
    question, _, again = (one["id"] for one in messages[:3])
    parents = [one["parent_message_id"] for one in messages]
    assert parents == [None, question, question, again, messages[3]["id"]]


def test_a_deletion_can_be_undone(fake: FakeVenom, open_window: OpenWindow) -> None:
    fake.sessions.add("old one", "x", "y")
    page = open_window(fake.url)
    finished(send(page, "hi"))
    page.get_by_role("button", name="Delete the chat “hi”").click()
    expect(chats(page)).to_have_text(["old one"])
    expect(page.get_by_test_id("answer")).to_have_count(0)
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    page.keyboard.press("Enter")
    expect(chats(page)).to_have_text(["hi", "old one"])
    expect(chats(page).first).to_be_focused()
    chats(page).first.click()
    expect(page.get_by_test_id("answer-text")).to_have_text(HELLO)
    assert "DELETE" not in [method for method, _ in fake.sessions.asked]


def test_a_deletion_is_done_when_the_page_is_left_or_the_next_one_begins(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    for title in ("one", "two", "three"):
        fake.sessions.add(title, "x", "y")
    page = open_window(fake.url)
    for title in ("one", "two"):
        page.get_by_role("button", name=f"Delete the chat “{title}”").click()
    expect(chats(page)).to_have_text(["three"])
    assert soon(page, lambda: fake.sessions.titles() == ["three", "two"])
    page.reload()
    expect(chats(page)).to_have_text(["three"])
    assert fake.sessions.titles() == ["three"]
    assert page.evaluate("sessionStorage.length") == 0


@pytest.mark.refusals(404)
def test_a_deletion_that_a_reload_cut_off_is_done_after_it(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    for title in ("one", "two"):
        fake.sessions.add(title, "x", "y")
    page = open_window(fake.url)
    page.get_by_role("button", name="Delete the chat “two”").click()
    expect(chats(page)).to_have_text(["one"])
    kept = dict(fake.sessions.of())
    page.goto(f"{fake.url}/index.txt")
    assert soon(page, lambda: fake.sessions.titles() == ["one"])
    fake.sessions.of().update(kept)
    page.goto(fake.url)
    expect(chats(page)).to_have_text(["one"])
    assert fake.sessions.titles() == ["one"]


@pytest.mark.refusals(503)
def test_a_deletion_that_is_refused_is_listed_again(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    for title in ("one", "two"):
        fake.sessions.add(title, "x", "y")
    fake.sessions.refusals["DELETE"] = (503, STORE_FULL)
    page = open_window(fake.url)
    for title in ("one", "two"):
        page.get_by_role("button", name=f"Delete the chat “{title}”").click()
    expect(chats(page)).to_have_text(["one"])
    expect(page.get_by_test_id("chats-refused")).to_contain_text(STORE_FULL["detail"])


def test_a_chat_is_renamed_by_keyboard(fake: FakeVenom, open_window: OpenWindow) -> None:
    made = fake.sessions.add("old title", "x", "y")
    page = open_window(fake.url)
    pencil = page.get_by_role("button", name="Rename the chat “old title”")
    pencil.press("Enter")
    field = page.get_by_label("New title of the chat")
    expect(field).to_be_focused()
    page.keyboard.type("never mind")
    page.keyboard.press("Escape")
    expect(chats(page)).to_have_text(["old title"])
    expect(pencil).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("new title")
    page.keyboard.press("Enter")
    expect(chats(page)).to_have_text(["new title"])
    assert soon(page, lambda: fake.sessions.titles() == ["new title"])
    assert made in fake.sessions.of()


@pytest.mark.refusals(503)
def test_a_title_that_is_refused_goes_back(fake: FakeVenom, open_window: OpenWindow) -> None:
    fake.sessions.add("old title", "x", "y")
    page = open_window(fake.url)
    fake.sessions.refusals["POST"] = (503, STORE_FULL)
    page.get_by_role("button", name="Rename the chat “old title”").press("Enter")
    page.keyboard.type("new title")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("chats-refused")).to_contain_text(STORE_FULL["fix"])
    expect(chats(page)).to_have_text(["old title"])


def test_many_chats_come_page_by_page(fake: FakeVenom, open_window: OpenWindow) -> None:
    for number in range(120):
        fake.sessions.add(f"chat {number}", "x", "y")
    page = open_window(fake.url)
    expect(chats(page)).to_have_count(50)
    more = page.get_by_role("button", name="Show older chats")
    more.click()
    expect(chats(page)).to_have_count(100)
    more.click()
    expect(chats(page)).to_have_count(120)
    expect(more).to_have_count(0)
    expect(chats(page).first).to_have_text("chat 119")
    expect(chats(page).last).to_have_text("chat 0")
    page.evaluate(LOOK)
    expect(chats(page)).to_have_count(120)


@pytest.mark.refusals(400, 404, 503)
@pytest.mark.parametrize("refusal", [(503, STORE_FULL), (400, ROOM_USED)], ids=["full", "quota"])
def test_what_cannot_be_kept_says_so_and_is_not_lost(
    refusal: tuple[int, dict[str, Any]], fake: FakeVenom, open_window: OpenWindow
) -> None:
    fake.sessions.add("other", "x", "y")
    fake.sessions.refusals["POST"] = refusal
    page = open_window(fake.url)
    note = page.get_by_test_id("not-kept")
    finished(send(page, "hi"))
    expect(note).to_contain_text("This conversation is not kept as it is shown.")
    expect(note).to_contain_text(refusal[1]["detail"])
    expect(note).to_contain_text(refusal[1]["fix"].split(":")[0])
    finished(send(page, "and"))
    expect(said(page)).to_have_text(["hi", "and"])
    expect(chats(page)).to_have_text(["hinot kept", "other"])
    chats(page).get_by_text("other").click()
    expect(said(page)).to_have_text("x")
    expect(note).to_have_count(0)
    chats(page).first.click()
    expect(said(page)).to_have_text(["hi", "and"])
    fake.sessions.refusals.clear()
    note.get_by_role("button", name="Keep it now").click()
    expect(note).to_have_count(0)
    expect(chats(page)).to_have_text(["hi", "other"])
    [made] = [one for one in fake.sessions.of().values() if one["session"]["title"] == "hi"]
    assert [one["content"] for one in made["messages"]] == ["hi", HELLO, "and", HELLO]
    parents = [one["parent_message_id"] for one in made["messages"]]
    assert parents == [None, *(one["id"] for one in made["messages"][:-1])]


@pytest.mark.refusals(404, 503)
def test_the_chat_works_where_the_store_cannot_be_read(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    fake.sessions.refusals = dict.fromkeys(("GET", "POST"), (503, STORE_FULL))
    page = open_window(fake.url)
    expect(page.get_by_test_id("chats-refused")).to_contain_text(STORE_FULL["detail"])
    expect(finished(send(page, "hi")).get_by_test_id("answer-text")).to_have_text(HELLO)
    expect(page.get_by_test_id("not-kept")).to_contain_text(STORE_FULL["detail"])
    fake.sessions.refusals.clear()
    page.evaluate(LOOK)
    expect(page.get_by_test_id("not-kept")).to_have_count(0)
    expect(page.get_by_test_id("chats-refused")).to_have_count(0)
    assert soon(page, lambda: fake.sessions.titles() == ["hi"])


@pytest.mark.refusals(404)
def test_a_chat_that_was_deleted_elsewhere_is_said_and_can_be_kept_anew(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    page = open_window(fake.url)
    finished(send(page, "hi"))
    expect(chats(page)).to_have_text(["hi"])
    fake.sessions.of().clear()
    finished(send(page, "and"))
    note = page.get_by_test_id("not-kept")
    expect(note).to_contain_text("There is no conversation")
    expect(said(page)).to_have_text(["hi", "and"])
    before = page.url
    note.get_by_role("button", name="Keep it as a new chat").click()
    expect(note).to_have_count(0)
    assert page.url != before
    kept(send(page, "more"))
    [made] = fake.sessions.of()
    assert soon(page, lambda: len(fake.sessions.contents(made)) == 6)
    assert fake.sessions.contents(made)[::2] == ["hi", "and", "more"]
    expect(chats(page)).to_have_text(["hi"])
    assert page.url == f"{fake.url}/c/{made}"


@pytest.mark.refusals(404)
def test_an_address_of_no_conversation_says_so(fake: FakeVenom, open_window: OpenWindow) -> None:
    page = open_window(f"{fake.url}/c/nothing")
    expect(page.get_by_test_id("error")).to_contain_text("There is no conversation 'nothing'.")
    page.locator("#message").fill("a thought of mine")
    page.keyboard.press("Enter")
    expect(page.locator("#message")).to_have_value("a thought of mine")
    page.get_by_test_id("error").get_by_role("button", name="New chat").click()
    page.locator("#message").press("Enter")
    finished(page.get_by_test_id("answer"))
    expect(said(page)).to_have_text("a thought of mine")


def test_two_tabs_see_one_truth(fake: FakeVenom, open_window: OpenWindow) -> None:
    page = open_window(fake.url)
    kept(send(page, "hi"))
    other = page.context.new_page()
    other.goto(page.url)
    expect(said(other)).to_have_text("hi")
    finished(send(other, "from the other tab"))
    expect(said(page)).to_have_text(["hi", "from the other tab"])
    finished(send(page, "and back"))
    expect(said(other)).to_have_text(["hi", "from the other tab", "and back"])
    other.get_by_role("button", name="Rename the chat “hi”").click()
    other.keyboard.type("renamed")
    other.keyboard.press("Enter")
    expect(chats(page)).to_have_text(["renamed"])
    # Another browser, or the command line: seen when the page is looked at again.
    [made] = fake.sessions.of()
    fake.sessions.of()[made]["session"]["title"] = "from the terminal"
    page.evaluate(LOOK)
    expect(chats(page)).to_have_text(["from the terminal"])
    told = ["hi", "from the other tab", "and back"]
    assert soon(page, lambda: fake.sessions.contents(made)[::2] == told)


OLD_ANSWER = {
    "role": "assistant",
    "content": "An old answer",
    "model": "ollama://gemma3:4b",
    "stats": {"ttftMs": 120, "tokensPerSecond": 20.5, "completionTokens": 3},
    "finish": "length",
    "reasoning": "I thought.",
}
OLD_CHATS = {
    "venom.chats": [
        {"id": "b2", "title": "Second of old", "updated": 1_790_000_100_000},
        {"id": "a1", "title": "First of old", "updated": 1_790_000_000_000},
    ],
    "venom.chat.a1": [{"role": "user", "content": "An old question"}, OLD_ANSWER],
    "venom.chat.b2": [{"role": "user", "content": "One without its answer"}],
}
IN_BROWSER = "Object.keys(localStorage).filter((name) => name.startsWith('venom.chat'))"


def old_chats(fake: FakeVenom) -> dict[str, Any]:
    """Return a browser's storage with what an earlier page kept there."""
    items = [{"name": name, "value": json.dumps(value)} for name, value in OLD_CHATS.items()]
    return {"origins": [{"origin": fake.url, "localStorage": items}]}


def test_what_the_browser_kept_is_taken_over_once(fake: FakeVenom, open_window: OpenWindow) -> None:
    page = open_window(fake.url, storage_state=old_chats(fake))
    expect(chats(page)).to_have_text(["Second of old", "First of old"])
    assert soon(page, lambda: page.evaluate(IN_BROWSER) == [])
    chats(page).last.click()
    expect(page.get_by_test_id("answer-text")).to_have_text("An old answer")
    figures = page.get_by_test_id("figures")
    expect(figures).to_contain_text("made on this machine · first token 120 ms · 21 tokens/s")
    expect(figures).to_contain_text("3 tokens")
    expect(page.get_by_test_id("ending")).to_have_text("The answer reached its length limit.")
    chats(page).first.click()
    expect(page.get_by_test_id("figures")).to_contain_text("Stopped.")
    page.reload()
    expect(chats(page)).to_have_count(2)


@pytest.mark.refusals(409)
def test_a_takeover_that_breaks_off_makes_no_second_copy(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    fake.sessions.loses_answers = True
    page = open_window(fake.url, storage_state=old_chats(fake))
    expect(page.get_by_test_id("untaken")).to_contain_text(
        "2 older chats are still in this browser"
    )
    assert len(page.evaluate(IN_BROWSER)) == 3
    fake.sessions.loses_answers = False
    page.get_by_test_id("untaken").get_by_role("button", name="Try again").click()
    expect(page.get_by_test_id("untaken")).to_have_count(0)
    expect(chats(page)).to_have_count(2)
    assert sorted(fake.sessions.titles()) == ["First of old", "Second of old"]
    assert page.evaluate(IN_BROWSER) == []


@pytest.mark.refusals(404, 409)
def test_two_tabs_take_over_at_once(fake: FakeVenom, open_window: OpenWindow) -> None:
    page = open_window(f"{fake.url}/index.txt", storage_state=old_chats(fake))
    other = page.context.new_page()
    other.goto(fake.url, wait_until="commit")
    page.goto(fake.url)
    for tab in (page, other):
        expect(chats(tab)).to_have_text(["Second of old", "First of old"])
        expect(tab.get_by_test_id("untaken")).to_have_count(0)
    assert soon(page, lambda: page.evaluate(IN_BROWSER) == [])
    assert sorted(fake.sessions.titles()) == ["First of old", "Second of old"]


@pytest.mark.refusals(503)
def test_what_is_not_taken_stays_until_it_is_or_is_deleted(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    fake.sessions.refusals["POST"] = (503, STORE_FULL)
    page = open_window(fake.url, storage_state=old_chats(fake))
    note = page.get_by_test_id("untaken")
    expect(note).to_contain_text(STORE_FULL["detail"])
    page.reload()
    expect(note).to_contain_text("2 older chats")
    note.get_by_role("button", name="Delete them here").click()
    note.get_by_role("button", name="Delete them for good?").click()
    expect(note).to_have_count(0)
    assert page.evaluate(IN_BROWSER) == []
    assert fake.sessions.of() == {}


def sign_in(page: Page, key: str) -> None:
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.refusals(401)
def test_signing_out_leaves_nothing_in_any_tab(fake: FakeVenom, open_window: OpenWindow) -> None:
    fake.key = "mine"
    page = open_window(fake.url)
    sign_in(page, "mine")
    kept(send(page, "a secret of mine"))
    other = page.context.new_page()
    other.goto(page.url)
    expect(said(other)).to_have_text("a secret of mine")
    page.get_by_role("button", name="Sign out").click()
    for tab in (page, other):
        expect(tab.get_by_label("API key")).to_be_visible()
        assert tab.url == f"{fake.url}/"
        assert "a secret" not in tab.content()
        for place in ("localStorage", "sessionStorage"):
            assert "secret" not in tab.evaluate(f"JSON.stringify({place})")
    fake.key = "theirs"
    sign_in(page, "theirs")
    expect(page.get_by_text("Your conversations are kept by this server")).to_be_visible()
    expect(chats(page)).to_have_count(0)
    kept(send(page, "of another key"))
    assert fake.sessions.titles("mine") == ["a secret of mine"]
    assert soon(page, lambda: fake.sessions.titles("theirs") == ["of another key"])


@pytest.mark.refusals(401)
def test_another_key_on_the_same_page_sees_nothing_of_the_one_before(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    fake.key = "mine"
    page = open_window(fake.url)
    sign_in(page, "mine")
    finished(send(page, "a secret of mine"))
    expect(chats(page)).to_have_text(["a secret of mine"])
    # The server forgot the sign-in, as after a restart.
    fake.session += "-anew"
    fake.key = "theirs"
    page.evaluate(LOOK)
    sign_in(page, "theirs")
    expect(chats(page)).to_have_count(0)
    expect(said(page)).to_have_count(0)
    assert "a secret" not in page.content()


@pytest.mark.refusals(401)
def test_signed_out_by_the_server_loses_no_words(fake: FakeVenom, open_window: OpenWindow) -> None:
    fake.key = "mine"
    page = open_window(fake.url)
    sign_in(page, "mine")
    finished(send(page, "hi"))
    fake.session += "-anew"
    send(page, "and more")
    expect(page.get_by_label("API key")).to_be_visible()
    page.keyboard.press("Escape")
    note = page.get_by_test_id("not-kept")
    expect(note).to_contain_text("invalid_api_key")
    expect(said(page)).to_have_text(["hi", "and more"])
    note.get_by_role("button", name="Keep it now").click()
    sign_in(page, "mine")
    expect(note).to_have_count(0)
    expect(said(page)).to_have_text(["hi", "and more"])
    made = page.url.partition("/c/")[2]
    assert soon(page, lambda: fake.sessions.contents(made, "mine")[::2] == ["hi", "and more"])


def test_an_answer_says_why_it_ended(fake: FakeVenom, open_window: OpenWindow) -> None:
    page = open_window(fake.url)
    ending = finished(send(page, "repeat")).get_by_test_id("ending")
    expect(ending).to_have_text(scenarios.REPEATED)
    page.reload()
    expect(ending).to_have_text(scenarios.REPEATED)


def test_polish(fake: FakeVenom, open_window: OpenWindow) -> None:
    page = open_window(fake.url, locale="pl-PL")
    expect(page.get_by_text("Twoje rozmowy przechowuje ten serwer")).to_be_visible()
    finished(send(page, "hi"))
    page.get_by_role("button", name=re.compile("^Usuń rozmowę")).click()
    page.get_by_role("button", name="Cofnij").click()
    expect(page.get_by_role("navigation", name="Rozmowy").get_by_role("link")).to_have_text("hi")
