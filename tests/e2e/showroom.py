"""A stage with something to see on each page: models, conversations, usage, a benchmark.

What the models say is scripted, so that a picture shows the same each time.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import stage
from stage import Stage, paced

from venom_core.sdk.provider import LoadedModel, Model
from venom_core.testing import scripted
from venom_core.testing.scripted import Script
from venom_core.testing.staging import entry

GB = 1_000_000_000
#: Name, bytes, quantization, tokens of context, seconds between two words, and what it is for.
STOCK = (
    ("gemma3:4b", 3.3 * GB, "Q4_K_M", 131_072, 0.03, "Everyday questions, 140 languages."),
    ("qwen3:8b", 5.2 * GB, "Q4_K_M", 40_960, 0.06, "Reasoning and code."),
    ("llama3.2:3b", 2.0 * GB, "Q4_K_M", 131_072, 0.02, "Short answers, quickly."),
    ("smollm2:135m", 0.27 * GB, "F16", 8_192, 0.004, "A very small model to try things out."),
)
ANSWER = """A **binary search** halves what is left at each step, so it needs about log2(n) looks.

```python
def find(items: list[int], wanted: int) -> int | None:
    low, high = 0, len(items)
    while low < high:
        middle = (low + high) // 2
        if items[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low if low < len(items) and items[low] == wanted else None
```

| items | looks at most |
|------:|--------------:|
| 1,000 | 10 |
| 1,000,000 | 20 |

The list has to be sorted first."""
TALKS = (
    (
        "Binary search in Python",
        "Write a binary search in Python, and how many looks it needs.",
        ANSWER,
    ),
    ("Wycieczka w Tatry", "Jaką trasę w Tatrach polecasz na jeden dzień?", "Dolina Kościeliska."),
    ("A letter to the landlord", "Help me to write to my landlord.", "Gladly. What is it about?"),
    ("Names for a cat", "Five names for a grey cat, please.", "Ash, Cloud, Slate, Pebble, Mist."),
)
WAIT = 120


def models() -> dict[str, Script]:
    words = [f"{word} " for word in ("A", "short", "answer", "to", "a", "question")]
    return {
        name: Script(
            paced(*words, seconds=rest),
            Model(
                name, "gguf", capabilities=frozenset({"chat", "completion"}),
                size_bytes=round(size), quantization=quantization, context_length=context,
                summary=summary, languages=("en", "pl", "de"), instruct=True,
            ),
        )
        for name, size, quantization, context, rest, summary in STOCK
    }  # fmt: skip


async def _loaded(self: object) -> list[LoadedModel]:
    return [LoadedModel(name, round(size * 1.15)) for name, size, *_ in STOCK]


class Showroom(Stage):
    """The stage, and what was done on it before somebody looks."""

    script = __file__
    talk = ""

    def start(self) -> None:
        super().start()
        with httpx.Client(base_url=self.url, timeout=WAIT) as client:
            for number, (title, question, said) in enumerate(TALKS):
                self._talk(client, f"talk-{number}", title, question, said)
            self.talk = "talk-0"
            self._ask(client)
            self._use_for_weeks()
            self._measure(client)
            for size in (64, 512):
                updates = {"updates": {"VENOM_QUEUE_SIZE": size, "UI_THEME_DEFAULT": "system"}}
                client.post("/api/v1/config/runtime", json=updates).raise_for_status()

    def _talk(self, client: httpx.Client, name: str, title: str, *texts: str) -> None:
        details: dict[str, Any] = {
            "usage": {"prompt_tokens": 21, "completion_tokens": 164, "total_tokens": 185},
            "time_to_first_token_ms": 212.0,
            "tokens_per_second": 31.4,
        }
        messages = [
            {"id": "1", "role": "user", "content": texts[0]},
            {
                "id": "2", "parent_message_id": "1", "role": "assistant", "content": texts[1],
                "model": "llamacpp://gemma3:4b", "details": details,
            },
        ]  # fmt: skip
        body = {
            "format": "venom-session", "version": 1, "id": name, "title": title,
            "messages": messages,
        }  # fmt: skip
        client.post("/api/v1/sessions/import", json=body).raise_for_status()

    def _use_for_weeks(self) -> None:
        """Write down the usage of the days before: charts of one day show little."""
        rows = []
        today = datetime.now(UTC).date()
        for ago in range(1, 30):
            day = today - timedelta(days=ago)
            quiet = 4 if day.weekday() > 4 else 1
            for place, (name, _, _, _, rest, _) in enumerate(STOCK[:3]):
                asked = (7 + (ago * (5 + place) + place * 3) % 11) // quiet
                told = asked * (130 + 40 * place)
                waited = asked * rest * 7
                rows.append(
                    (day.isoformat(), "", "llamacpp", name, asked, 0, 0, asked * 90, told, 0,
                     asked, waited, told, told * rest)
                )  # fmt: skip
        insert = f"INSERT INTO usage_days VALUES ({', '.join('?' * 14)})"
        with closing(sqlite3.connect(self.home / "venom.db")) as store, store:
            store.executemany(insert, rows)

    def _ask(self, client: httpx.Client) -> None:
        for name, *_ in STOCK[:3]:
            body = {"model": name, "messages": [{"role": "user", "content": "Hi"}], "stream": True}
            for _ in range(2):
                client.post("/v1/chat/completions", json=body).raise_for_status()

    def _measure(self, client: httpx.Client) -> None:
        wanted = {"models": [name for name, *_ in STOCK], "num_questions": 2}
        begun = client.post("/api/v1/benchmark/start", json=wanted).raise_for_status().json()
        path = f"/api/v1/benchmark/{begun['benchmark_id']}/status"
        ends = time.monotonic() + WAIT
        while client.get(path).json()["benchmark"]["status"] == "running":
            if time.monotonic() > ends:
                raise TimeoutError("The benchmark of the showroom did not end.")
            time.sleep(0.5)


if __name__ == "__main__":
    scripted.ScriptedProvider.ps = _loaded  # type: ignore[method-assign,assignment]
    stage.main(
        models, entry("venom_core.testing.scripted", "llamacpp"), name="llamacpp", environments=(),
        title="llama.cpp", summary="GGUF models on this machine.",
    )  # fmt: skip
