"""The list of conversations on the real server: addresses, search, pins, files, deletion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from acts import OpenWindow, expect, finished, send
from stage import Stage

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.e2e


def listed(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Chats").locator("[data-chat]")


def keep(stage: Stage, *titles: str) -> list[str]:
    """Keep a conversation of each title, the last one the newest; their ids."""
    made = []
    with httpx.Client(base_url=stage.url) as client:
        for title in titles:
            body = {"question": title, "answer": f"It is about {title}."}
            path = f"/api/v1/sessions/{title.replace(' ', '-')}/messages"
            made.append(client.post(path, json=body).raise_for_status().json()["session"]["id"])
    return made


def more(page: Page, title: str) -> None:
    page.get_by_role("button", name=f"More for the chat “{title}”").click()


def test_each_conversation_has_an_address(stage: Stage, open_window: OpenWindow) -> None:
    first, second = keep(stage, "first one", "second one")
    page = open_window(f"{stage.url}/c/{first}")
    expect(page.get_by_test_id("answer")).to_contain_text("It is about first one.")
    page.get_by_role("link", name="second one").click()
    expect(page.get_by_test_id("answer")).to_contain_text("It is about second one.")
    expect(page).to_have_url(f"{stage.url}/c/{second}")
    page.go_back()
    expect(page.get_by_test_id("answer")).to_contain_text("It is about first one.")
    page.goto(f"{stage.url}/?c={second}")
    expect(page.get_by_test_id("answer")).to_contain_text("It is about second one.")
    expect(page).to_have_url(f"{stage.url}/c/{second}")
    page.get_by_role("link", name="Plugins").click()
    expect(page.get_by_role("heading", name="Plugins", level=1)).to_be_visible()
    page.get_by_role("link", name="first one").click()
    expect(page.get_by_test_id("answer")).to_contain_text("It is about first one.")
    expect(page).to_have_url(f"{stage.url}/c/{first}")


def test_the_search_finds_titles_and_what_was_said(stage: Stage, open_window: OpenWindow) -> None:
    keep(stage, "apples", "pears")
    page = open_window(stage.url)
    expect(listed(page)).to_have_count(2)
    field = page.get_by_role("searchbox", name="Search chats")
    field.fill("about app")
    expect(listed(page)).to_have_text(["apples"])
    expect(page.get_by_test_id("search-note")).to_have_text("1 chat found")
    field.fill("nothing of it")
    expect(page.get_by_test_id("search-note")).to_have_text("Nothing is found for “nothing of it”.")
    field.fill("")
    expect(listed(page)).to_have_count(2)


def test_a_pin_holds_a_conversation_at_the_top(stage: Stage, open_window: OpenWindow) -> None:
    keep(stage, "old one", "new one")
    page = open_window(stage.url)
    other = page.context.new_page()
    other.goto(stage.url)
    expect(listed(page).first).to_have_text("new one")
    more(page, "old one")
    page.get_by_role("menuitem", name="Pin to the top").click()
    for one in (page, other):
        expect(listed(one).first).to_contain_text("old one")
    page.reload()
    expect(listed(page).first).to_contain_text("old one")
    more(page, "old one")
    page.get_by_role("menuitem", name="Unpin").click()
    expect(listed(page).first).to_have_text("new one")


def test_what_is_downloaded_can_be_opened_again(
    stage: Stage, open_window: OpenWindow, tmp_path: Path
) -> None:
    keep(stage, "a talk")
    page = open_window(stage.url)
    more(page, "a talk")
    with page.expect_download() as coming:
        page.get_by_role("menuitem", name="Download as Markdown").click()
    coming.value.save_as(tmp_path / "talk.md")
    assert "It is about a talk." in (tmp_path / "talk.md").read_text(encoding="utf-8")
    more(page, "a talk")
    with page.expect_download() as coming:
        page.get_by_role("menuitem", name="Download as JSON").click()
    coming.value.save_as(tmp_path / "talk.json")
    page.get_by_label("Open a file").last.set_input_files(tmp_path / "talk.json")
    expect(listed(page)).to_have_text(["a talk", "a talk"])
    expect(page.get_by_test_id("answer")).to_contain_text("It is about a talk.")


def test_messages_of_another_client_are_taken_in_and_what_is_none_is_refused(
    stage: Stage, open_window: OpenWindow, tmp_path: Path
) -> None:
    page = open_window(stage.url)
    nothing = tmp_path / "nothing.json"
    nothing.write_text("{}", encoding="utf-8")
    field = page.get_by_label("Open a file").last
    field.set_input_files(nothing)
    expect(page.get_by_test_id("import-failed")).to_contain_text("no conversation in it")
    theirs = tmp_path / "theirs.json"
    said = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}]
    theirs.write_text(json.dumps({"messages": said}), encoding="utf-8")
    field.set_input_files(theirs)
    expect(page.get_by_test_id("answer")).to_contain_text("Because.")
    expect(page.get_by_test_id("import-failed")).to_have_count(0)
    expect(listed(page)).to_have_text(["Why?"])


def of_chatgpt(*titles: str) -> str:
    """Return an export as ChatGPT sends it: a question, asked anew, with an answer to each."""
    said = [("q", None, "user", "Why?"), ("a", "q", "assistant", "Because."),
            ("b", "q", "assistant", "So.")]  # fmt: skip
    mapping = {
        name: {
            "id": name, "parent": parent, "children": [],
            "message": {
                "author": {"role": role}, "recipient": "all", "metadata": {},
                "content": {"content_type": "text", "parts": [text]},
            },
        }
        for name, parent, role, text in said
    }  # fmt: skip
    talks = [
        {"title": title, "id": f"id-{place}", "current_node": "a", "mapping": mapping}
        for place, title in enumerate(titles)
    ]
    return json.dumps(talks)


@pytest.mark.refusals(409)
def test_what_chatgpt_exports_is_taken_in_with_its_branches(
    stage: Stage, open_window: OpenWindow, tmp_path: Path
) -> None:
    page = open_window(stage.url)
    theirs = tmp_path / "conversations.json"
    theirs.write_text(of_chatgpt("A talk", "Another"), encoding="utf-8")
    field = page.get_by_label("Open a file").last
    field.set_input_files(theirs)
    status = page.get_by_role("status").filter(has_text="taken in")
    expect(status).to_have_text("2 chats were taken in.")
    expect(listed(page)).to_have_count(2)
    page.get_by_role("link", name="A talk").click()
    expect(page.get_by_test_id("answer")).to_contain_text("Because.")
    expect(page.get_by_text("2 of 2")).to_be_visible()
    field.set_input_files(theirs)
    expect(status).to_have_text("0 chats were taken in. 2 were here already.")
    expect(listed(page)).to_have_count(2)


@pytest.mark.refusals(404)
def test_a_deletion_can_be_undone_and_ends_an_answer(stage: Stage, open_window: OpenWindow) -> None:
    page = open_window(stage.url)
    page.evaluate("localStorage.setItem('venom.model', 'steady')")
    page.reload()
    expect(page.get_by_role("button", name="Model: steady")).to_be_visible()
    answer = send(page, "Tell me")
    expect(answer).to_contain_text("word1", timeout=20_000)
    page.get_by_role("button", name="Delete the chat “Tell me”").click()
    expect(listed(page)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("link", name="Tell me").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.get_by_role("button", name="Delete the chat “Tell me”").click()
    expect(listed(page)).to_have_count(0)
    page.reload()
    with httpx.Client(base_url=stage.url) as client:
        page.wait_for_function(
            "async () => (await (await fetch('/api/v1/sessions')).json()).count === 0"
        )
        assert client.get("/api/v1/sessions").json()["count"] == 0
    expect(page.get_by_test_id("answer")).to_have_count(0)
    finished(send(page, "Again"), 60)
