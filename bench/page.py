"""The page in a real browser, against a real server with the scripted engine on loopback.

Scripts are counted as the browser transfers them, up to the end of loading; what comes when the
browser is idle is not among them. The page is ready when what is typed can be sent. The longest
task is the browser's own (it reports those of 50 ms and more) while 5,000 tokens come: as one
paragraph, as fast as they go, and as Markdown of many blocks at the pace of a fast machine.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.processes import ROOT
from bench.report import Figure, Goal, Report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CONVERSATIONS = 200
TOKENS = 5000
IDLE_MS = 3000
#: The browser reports no shorter task.
SHORTEST_MS = 50.0
WATCH = """
  window.longest = 0;
  new PerformanceObserver((seen) => {
    for (const task of seen.getEntries()) window.longest = Math.max(window.longest, task.duration);
  }).observe({ type: "longtask", buffered: false });
"""
READY = """
  const ask = () => {
    const area = document.querySelector("#message");
    if (area) {
      area.value = "x";
      area.dispatchEvent(new Event("input", { bubbles: true }));
    }
    const send = area?.form?.querySelector("button[type=submit]");
    if (send && !send.disabled) window.readyAt = performance.now();
    else requestAnimationFrame(ask);
  };
  requestAnimationFrame(ask);
"""
SCRIPTS = """() => {
  const end = performance.getEntriesByType("navigation")[0].loadEventEnd;
  return performance.getEntriesByType("resource")
    .filter((one) => /\\.js$/.test(new URL(one.name).pathname) && one.startTime < end)
    .reduce((sum, one) => sum + one.transferSize, 0);
}"""
ENDED = """() => [...document.querySelectorAll("[data-testid=answer]")]
  .at(-1)?.getAttribute("aria-busy") === "false" """


def run(*, quick: bool = False) -> Report:
    sys.path.insert(0, str(ROOT / "tests" / "e2e"))
    from playwright.sync_api import sync_playwright
    from stage import Stage

    from tools.browser import chromium

    rounds, conversations = (1, 20) if quick else (5, CONVERSATIONS)
    report = Report("page", rounds=rounds)
    scripts, ready, plain, essay = [], [], [], []
    with tempfile.TemporaryDirectory(prefix="venom-bench-") as folder, sync_playwright() as play:
        path = chromium(play.chromium.executable_path)
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        with Stage(Path(folder) / "home") as stage:
            for _ in range(rounds):
                page = _opened(browser, stage.url, READY)
                page.wait_for_function("() => window.readyAt > 0")
                ready.append(page.evaluate("window.readyAt"))
                scripts.append(page.evaluate(SCRIPTS) / 1000)
                page.context.close()
                plain.append(_longest(browser, stage.url, "long"))
                essay.append(_longest(browser, stage.url, "essay"))
            before, after = _memory(browser, stage.url, conversations)
        version = browser.version
        browser.close()
    watched = (Goal("value", 100.0),)
    report.figures = [
        Figure("scripts of the first page", "KB", scripts, goals=(Goal("value", 180.0),)),
        Figure("ready, loopback", "ms", ready, goals=(Goal("value", 1000.0),)),
        Figure("longest task, 5,000 tokens in one paragraph", "ms", plain, goals=watched),
        Figure("longest task, 5,000 tokens of Markdown", "ms", essay, goals=watched),
        Figure(
            f"script memory, {conversations} conversations opened", "MB", [after], [before], "1"
        ),
    ]
    report.extra = {"browser": version, "shortest_task_ms": SHORTEST_MS, "tokens": TOKENS}
    return report


def _opened(browser: Browser, url: str, script: str) -> Page:
    page = browser.new_context(locale="en-US").new_page()
    page.add_init_script(script)
    page.goto(url, wait_until="load")
    return page


def _longest(browser: Browser, url: str, model: str) -> float:
    """Return the longest task, in ms, while a model of the stage answers; 50 where none was as
    long as that."""
    page = _opened(browser, url, f"localStorage.setItem('venom.model', '{model}')")
    page.get_by_role("button", name=f"Model: {model}").wait_for()
    page.wait_for_timeout(IDLE_MS)  # what is fetched when the browser is idle
    page.evaluate(WATCH)
    page.locator("#message").fill("a question")
    page.keyboard.press("Enter")
    page.wait_for_function(ENDED, timeout=120_000)
    longest = float(page.evaluate("window.longest"))
    page.context.close()
    return max(longest, SHORTEST_MS)


def _memory(browser: Browser, url: str, count: int) -> tuple[float, float]:
    """Return MB of script memory with the first conversation open, and after ``count``."""
    page = browser.new_context(locale="en-US").new_page()
    for number in range(count):
        session = {"format": "venom-session", "version": 1, "title": f"talk {number}"}
        messages = [_message(number, turn) for turn in range(10)]
        answer = page.request.post(
            f"{url}/api/v1/sessions/import", data={**session, "messages": messages}
        )
        assert answer.ok, answer.text()
    page.goto(url)
    names = page.get_by_role("navigation", name="Chats").get_by_role("link", name="talk ")
    names.first.wait_for()
    while names.count() < count:
        shown = names.count()
        page.get_by_role("button", name="Show older chats").click()
        page.wait_for_function(
            f"() => document.querySelectorAll('nav[aria-label=Chats] li a').length > {shown}"
        )
    tools = page.context.new_cdp_session(page)
    tools.send("HeapProfiler.enable")
    used: list[float] = []
    for number in range(count):
        names.nth(number).click()
        page.get_by_test_id("answer-text").nth(4).wait_for()
        if number in (0, count - 1):
            used.append(_heap(tools))
    page.context.close()
    return used[0], used[-1]


def _message(number: int, turn: int) -> dict[str, Any]:
    who = "assistant" if turn % 2 else "user"
    content = f"{turn} of talk {number}\n\n```py\nprint({number})\n```\n\n" + "word " * 150
    parent = str(turn) if turn else None
    return {"id": str(turn + 1), "parent_message_id": parent, "role": who, "content": content}


def _heap(tools: Any) -> float:
    tools.send("HeapProfiler.collectGarbage")
    time.sleep(0.5)
    tools.send("HeapProfiler.collectGarbage")
    usage: dict[str, float] = tools.send("Runtime.getHeapUsage")
    return usage["usedSize"] / 1e6
