"""The settings on the page, against a real server: found, changed, refused, and taken back."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from acts import expect
from stage import Stage

from venom_core.sdk.masking import MASK

if TYPE_CHECKING:
    from acts import OpenWindow


def settings(stage: Stage, open_window: OpenWindow, **options: Any) -> Any:
    """Open the page of the settings."""
    return open_window(f"{stage.url}/config", **options)


def field(page: Any, name: str) -> Any:
    return page.get_by_role("textbox", name=name)


def save(page: Any) -> None:
    page.get_by_role("button", name="Review and save").click()
    confirm(page)


def confirm(page: Any) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Save", exact=True).click()
    # The provider whose settings changed is opened anew meanwhile.
    expect(dialog).to_have_count(0, timeout=60_000)


def kept(stage: Stage) -> dict[str, Any]:
    return tomllib.loads((stage.home / "config.toml").read_text(encoding="utf-8"))


def test_a_setting_is_found_changed_by_keyboard_and_taken_back(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = settings(stage, open_window)
    search = page.get_by_role("searchbox", name="Find a setting")
    search.fill("silence")
    expect(page.get_by_role("listitem").filter(has=page.get_by_role("textbox"))).to_have_count(1)
    field(page, "Longest silence").fill("90")
    bar = page.get_by_role("region", name="Review and save")
    expect(bar.get_by_role("status")).to_have_text("1 change is not saved yet")
    bar.get_by_role("button", name="Review and save").focus()
    page.keyboard.press("Enter")
    review = page.get_by_role("dialog", name="Save these changes?")
    expect(review.get_by_role("listitem")).to_contain_text("after a restart")
    expect(review.get_by_role("definition")).to_have_text(["120", "90"])
    page.keyboard.press("Enter")
    expect(review).to_have_count(0, timeout=60_000)
    expect(bar).to_contain_text("1 setting is saved. Start Venom again, so that it works with:")
    assert kept(stage)["chat"] == {"stall_timeout": 90.0}
    expect(page.get_by_label("waits for a restart")).to_contain_text("Longest silence")
    page.get_by_role("button", name="Use the default of: Longest silence").click()
    expect(field(page, "Longest silence")).to_have_value("120")
    save(page)
    expect(bar).to_contain_text("1 setting is saved.")
    assert "stall_timeout" not in kept(stage).get("chat", {})
    expect(page.get_by_label("waits for a restart")).to_have_count(0)


def test_a_wrong_value_is_told_as_one_types_and_cannot_be_saved(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = settings(stage, open_window)
    workers = field(page, "Workers")
    workers.fill("99")
    expect(page.get_by_role("alert").filter(has_text="At most 8 is possible.")).to_be_visible()
    expect(page.get_by_role("button", name="Review and save")).to_be_disabled()
    workers.fill("8")
    expect(page.get_by_role("alert").filter(has_text="possible")).to_have_count(0)
    page.get_by_role("button", name="Undo the change of: Workers").click()
    expect(workers).to_have_value("2")
    expect(page.get_by_role("button", name="Review and save")).to_have_count(0)


@pytest.mark.refusals(409, 400)
def test_what_the_server_refuses_is_told_at_the_field(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = settings(stage, open_window)
    base = field(page, "Base URL")
    base.fill("http://[not-an-address")
    save(page)
    row = page.get_by_role("listitem").filter(has=base)
    expect(row.get_by_role("alert")).to_contain_text("must be an http:// or https:// URL")
    expect(base).to_be_focused()
    model = field(page, "Preferred model")
    model.fill(f"a model called {MASK}")
    save(page)
    other = page.get_by_role("listitem").filter(has=model)
    expect(other.get_by_role("alert")).to_contain_text("has a mask")
    expect(other.get_by_role("alert")).not_to_contain_text("URL")
    expect(row.get_by_role("alert")).to_contain_text("must be an http:// or https:// URL")
    expect(row.get_by_role("alert")).not_to_contain_text("has a mask")
    page.get_by_role("button", name="Undo the change of: Preferred model").click()
    base.fill("http://127.0.0.1:9")
    expect(row.get_by_role("alert")).to_have_count(0)
    save(page)
    expect(page.get_by_text("1 setting is saved.")).to_be_visible()
    assert kept(stage)["providers"]["scripted"]["base_url"] == "http://127.0.0.1:9"


def test_a_secret_is_written_and_never_shown(stage: Stage, open_window: OpenWindow) -> None:
    page = settings(stage, open_window)
    key = page.get_by_label("API key", exact=True)
    row = page.get_by_role("listitem").filter(has=key)
    expect(row.get_by_text("not set", exact=True)).to_be_visible()
    key.fill("s3cret-of-mine")
    page.get_by_role("button", name="Review and save").click()
    expect(page.get_by_role("dialog").get_by_role("definition")).to_have_text(
        ["not set", "a new one"]
    )
    confirm(page)
    expect(row.get_by_text("set", exact=True)).to_be_visible()
    expect(key).to_have_value("")
    assert "s3cret" not in page.content()
    secrets = (stage.home / "secrets.toml").read_text(encoding="utf-8")
    assert "s3cret-of-mine" in secrets
    page.get_by_role("button", name="Remove: API key").click()
    save(page)
    expect(row.get_by_text("not set", exact=True)).to_be_visible()
    assert "s3cret" not in (stage.home / "secrets.toml").read_text(encoding="utf-8")


def test_a_backup_is_compared_and_restored(stage: Stage, open_window: OpenWindow) -> None:
    for size in (10, 20):
        updates = {"updates": {"VENOM_QUEUE_SIZE": size}}
        httpx.post(
            f"{stage.url}/api/v1/config/runtime", json=updates, timeout=60
        ).raise_for_status()
    page = settings(stage, open_window, viewport={"width": 390, "height": 844})
    page.get_by_role("button", name=re.compile("^Compare and restore")).click()
    dialog = page.get_by_role("dialog", name=re.compile("^Go back to"))
    expect(dialog.get_by_role("listitem")).to_contain_text("Places in the queue")
    expect(dialog.get_by_role("definition")).to_have_text(["20", "10"])
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert kept(stage)["chat"]["queue_size"] == 20
    page.get_by_role("button", name=re.compile("^Compare and restore")).click()
    dialog.get_by_role("button", name="Go back to it").click()
    expect(dialog).to_have_count(0, timeout=60_000)
    expect(page.get_by_text("1 setting is as it was then.")).to_be_visible()
    assert kept(stage)["chat"]["queue_size"] == 10
    expect(field(page, "Places in the queue")).to_have_value("10")
    expect(page.get_by_role("button", name=re.compile("^Compare and restore"))).to_have_count(2)


def test_what_the_environment_fixes_says_so(tmp_path: Any, open_window: OpenWindow) -> None:
    with Stage(tmp_path / "home", VENOM_STALL_TIMEOUT="77") as stage:
        page = settings(stage, open_window)
        silence = field(page, "Longest silence")
        expect(silence).to_be_disabled()
        expect(silence).to_have_value("77")
        row = page.get_by_role("listitem").filter(has=silence)
        expect(row).to_contain_text("from the environment")
        expect(row).to_contain_text("The environment variable VENOM_STALL_TIMEOUT sets this")


def test_what_changed_before_the_feed_was_there_is_shown(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = settings(stage, open_window)
    held: list[Any] = []
    page.route("**/api/v1/events", lambda route: held.append(route))
    page.reload()
    expect(field(page, "Longest silence")).to_have_value("120")
    changed = httpx.post(
        f"{stage.url}/api/v1/config/runtime",
        timeout=60,
        json={"updates": {"VENOM_STALL_TIMEOUT": 90}},
    )
    assert changed.is_success, changed.text
    while not held:
        page.wait_for_timeout(50)
    held.pop().continue_()
    expect(field(page, "Longest silence")).to_have_value("90")
