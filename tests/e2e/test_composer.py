"""Settings, files, drafts and the context: all that goes into a question, on a real server."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

from acts import choose, expect, finished, send, talk_to
from axe import violations

if TYPE_CHECKING:
    from acts import OpenWindow
    from playwright.sync_api import Locator, Page
    from stage import Stage


def settings(page: Page) -> Locator:
    page.get_by_role("button", name="Settings of this chat").click()
    return page.get_by_role("complementary", name="Settings of this chat")


def asked(answer: Locator) -> dict[str, Any]:
    """Return the request as the mirror saw it."""
    found: dict[str, Any] = json.loads(finished(answer).locator("pre").inner_text())
    return found


def picture(side: int = 4) -> bytes:
    """Return a red PNG."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        whole = kind + body
        return struct.pack(">I", len(body)) + whole + struct.pack(">I", zlib.crc32(whole))

    rows = b"".join(b"\0" + b"\xff\0\0" * side for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def pick(page: Page, name: str, kind: str, content: bytes) -> None:
    file: Any = {"name": name, "mimeType": kind, "buffer": content}
    expect(page.get_by_role("button", name="Add images or text files")).to_be_visible()
    page.locator("#pick-files").set_input_files([file])


def test_what_is_set_for_a_chat_goes_with_its_questions_and_survives_a_reload(
    mirror: Stage, open_window: OpenWindow
) -> None:
    page = talk_to("mirror", mirror, open_window)
    panel = settings(page)
    panel.get_by_role("textbox", name="Instructions").fill("Be brief.")
    expect(panel.get_by_test_id("origin-top_p")).to_have_text("the model's own")
    expect(panel.get_by_test_id("origin-temperature")).to_have_text("left to the engine")
    panel.get_by_role("textbox", name="Temperature").fill("0.25")
    expect(panel.get_by_test_id("origin-temperature")).to_have_text("this chat")
    panel.get_by_role("textbox", name="Longest answer").fill("0")
    expect(panel.get_by_role("alert")).to_contain_text("From 1 to")
    panel.get_by_role("textbox", name="Stop before").fill("END")
    seen = asked(send(page, "Hello"))
    assert seen["told"] == ["system: Be brief.", "user: Hello"]
    assert (seen["temperature"], seen["stop"]) == (0.25, ["END"])
    assert "max_tokens" not in seen
    page.reload()
    expect(page.get_by_role("textbox", name="Instructions")).to_have_value("Be brief.")
    assert asked(send(page, "Again"))["temperature"] == 0.25
    page.get_by_role("button", name="Reset: Temperature").click()
    assert "temperature" not in asked(send(page, "And now?"))
    page.get_by_role("link", name="New chat").click()
    expect(page.get_by_role("textbox", name="Instructions")).to_have_value("")
    assert asked(send(page, "Another"))["told"] == ["user: Another"]


def test_what_is_saved_for_a_model_holds_for_every_question(
    mirror: Stage, open_window: OpenWindow
) -> None:
    page = talk_to("mirror", mirror, open_window)
    panel = settings(page)
    panel.get_by_role("textbox", name="Temperature").fill("0.5")
    panel.get_by_role("button", name="Save for this model").click()
    expect(panel.get_by_test_id("origin-temperature")).to_have_text("saved for this model")
    expect(panel.get_by_text("Saved. Every question")).to_be_visible()
    other = talk_to("mirror", mirror, open_window)
    assert asked(send(other, "Hello"))["temperature"] == 0.5
    panel.get_by_role("button", name="Forget what is saved").click()
    expect(panel.get_by_test_id("origin-temperature")).to_have_text("left to the engine")
    assert "temperature" not in asked(send(other, "Hello again"))


def test_json_is_asked_for_with_a_schema_that_is_right(
    mirror: Stage, open_window: OpenWindow
) -> None:
    page = talk_to("mirror", mirror, open_window)
    panel = settings(page)
    panel.get_by_role("combobox", name="Form of the answer").select_option("schema")
    schema = panel.get_by_role("textbox", name="Schema")
    schema.fill("{\n  oops }")
    expect(panel.get_by_text("This is no JSON")).to_be_visible()
    assert "response_format" not in asked(send(page, "One"))
    schema.fill('{"type": "object"}')
    expect(panel.get_by_text("Looks right.")).to_be_visible()
    seen = asked(send(page, "Two"))["response_format"]
    assert seen["json_schema"]["schema"] == {"type": "object"}
    tools = panel.get_by_role("region", name="Tools", exact=True)
    tools.get_by_role("button", name="Put in an example").click()
    assert asked(send(page, "Three"))["tools"][0]["function"]["name"] == "weather"


def test_what_a_model_cannot_do_is_said(mirror: Stage, open_window: OpenWindow) -> None:
    page = talk_to("hello", mirror, open_window)
    panel = settings(page)
    expect(panel.get_by_text("hello cannot be held to JSON")).to_be_visible()
    expect(panel.get_by_role("combobox", name="Form of the answer")).to_have_count(0)
    choose(page, "blind")
    expect(panel.get_by_text("blind takes no instructions")).to_be_visible()
    expect(panel.get_by_text("blind does not call tools.")).to_be_visible()


def test_files_are_picked_shown_removed_and_sent(mirror: Stage, open_window: OpenWindow) -> None:
    page = talk_to("mirror", mirror, open_window)
    pick(page, "red.png", "image/png", picture())
    pick(page, "gone.txt", "text/plain", b"never")
    pick(page, "notes.md", "text/markdown", "# Żółw\n".encode())
    shown = page.get_by_role("list", name="Added to the question")
    expect(shown.get_by_role("listitem")).to_have_count(3)
    expect(shown.get_by_role("img", name="Image: red.png")).to_be_visible()
    page.get_by_role("button", name="Remove gone.txt").click()
    expect(page.locator("#message")).to_be_focused()
    seen = asked(send(page, "What is this?"))
    assert seen["images"] == 1
    assert seen["told"] == ["user: What is this?\n\nnotes.md\n```md\n# Żółw\n```"]
    expect(shown).to_have_count(0)
    question = page.get_by_role("article", name="You")
    expect(question.get_by_role("img", name="red.png")).to_be_visible()
    question.get_by_text("notes.md").click()
    expect(question.get_by_role("region", name="notes.md")).to_have_text("# Żółw")
    page.reload()
    assert asked(send(page, "And its colour?"))["images"] == 1


PASTE = """([name, kind, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const moved = new DataTransfer();
  moved.items.add(new File([bytes], name, { type: kind }));
  const target = document.getElementById('message');
  const event = window.dropped
    ? new DragEvent('drop', { dataTransfer: moved, bubbles: true, cancelable: true })
    : new ClipboardEvent('paste', { clipboardData: moved, bubbles: true, cancelable: true });
  target.dispatchEvent(event);
}"""


def test_files_are_pasted_and_dropped(mirror: Stage, open_window: OpenWindow) -> None:
    page = talk_to("mirror", mirror, open_window)
    expect(page.get_by_role("button", name="Add images or text files")).to_be_visible()
    image = base64.b64encode(picture(2000)).decode()
    page.evaluate(PASTE, ["pasted.png", "image/png", image])
    shown = page.get_by_role("list", name="Added to the question").get_by_role("listitem")
    expect(shown).to_have_count(1)
    # A larger picture than any model looks at is made smaller.
    side = page.get_by_role("img", name="Image: pasted.png").evaluate("one => one.naturalWidth")
    assert side == 1280
    page.evaluate("window.dropped = true")
    page.evaluate(PASTE, ["dropped.txt", "text/plain", base64.b64encode(b"words").decode()])
    expect(shown).to_have_count(2)


def test_what_is_no_text_and_what_a_model_cannot_see_is_left_out_and_said(
    mirror: Stage, open_window: OpenWindow
) -> None:
    page = talk_to("blind", mirror, open_window)
    pick(page, "red.png", "image/png", picture())
    notes = page.get_by_test_id("file-notes")
    expect(notes).to_contain_text("the chosen model does not see images")
    notes.get_by_role("button", name="Use mirror").click()
    expect(page.get_by_label("Model: mirror")).to_be_visible()
    pick(page, "letter.pdf", "application/pdf", b"%PDF-1.7\0\xff\xfe")
    expect(notes).to_contain_text("letter.pdf is no text")
    pick(page, "red.png", "image/png", picture())
    expect(page.get_by_role("img", name="Image: red.png")).to_be_visible()
    choose(page, "blind")
    expect(notes).to_contain_text("blind does not see images")
    notes.get_by_role("button", name="Remove the images").click()
    expect(page.get_by_role("list", name="Added to the question")).to_have_count(0)


def test_the_context_is_shown_and_warned_of_before_it_overflows(
    mirror: Stage, open_window: OpenWindow
) -> None:
    page = talk_to("tiny", mirror, open_window)
    expect(page.get_by_test_id("place")).to_have_text("answered on this machine")
    finished(send(page, "Hello"))
    expect(page.get_by_test_id("context")).to_contain_text("of 200 tokens")
    expect(page.get_by_role("meter", name="Context used")).to_be_visible()
    expect(page.get_by_test_id("context-warning")).to_have_count(0)
    page.locator("#message").fill("word " * 200)
    warning = page.get_by_test_id("context-warning")
    expect(warning).to_contain_text("does not fit")
    warning.get_by_role("button", name="Take this question to a new chat").click()
    expect(page.locator("#message")).to_have_value("word " * 200)
    expect(page.get_by_test_id("answer")).to_have_count(0)
    page.locator("#message").fill("short")
    expect(warning).to_have_count(0)


def test_drafts_are_kept_by_conversation(mirror: Stage, open_window: OpenWindow) -> None:
    page = open_window(mirror.url)
    message = page.locator("#message")
    expect(page.get_by_role("button", name="Add images or text files")).to_be_visible()
    message.fill("A thought before any")
    page.reload()
    expect(message).to_have_value("A thought before any")
    choose(page, "mirror")
    asked(send(page, "First"))
    message.fill("Half a question")
    page.get_by_role("link", name="New chat").click()
    expect(message).to_have_value("")
    page.get_by_role("link", name="First").click()
    expect(message).to_have_value("Half a question")
    page.reload()
    expect(message).to_have_value("Half a question")


def test_the_settings_are_a_drawer_on_a_phone(mirror: Stage, open_window: OpenWindow) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = open_window(
        mirror.url, locale="pl-PL", bypass_csp=True, reduced_motion="reduce", **phone
    )
    page.get_by_role("button", name="Ustawienia tej rozmowy").click()
    panel = page.get_by_role("dialog", name="Ustawienia tej rozmowy")
    panel.get_by_role("textbox", name="Instrukcje").fill("Krótko.")
    expect(panel.get_by_role("heading", name="Jak odpowiada")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    changed = page.get_by_role("button", name="Ustawienia tej rozmowy: zmienione")
    expect(changed).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
