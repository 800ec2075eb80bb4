"""`venom usage`: the ledger beside a running server."""

from __future__ import annotations

import json
import time

from venom_core.accounting.ledger import day_of
from venom_core.settings.paths import Paths
from venom_core.store.database import open_database
from venom_core.store.ledger import Line, Tally, UsageRepository
from venom_core.testing.scripted import SCRIPTS, Script, say


def put(paths: Paths) -> None:
    paths.make(paths.home)
    today = day_of(time.time())
    UsageRepository(open_database(paths.store_file)).add(
        {
            Line(today, "1f0c9a3e", "ollama", "gemma3:4b"): Tally(
                requests=3,
                prompt_tokens=30,
                completion_tokens=12,
                first_tokens=2,
                first_token_seconds=0.5,
                errors={"client_gone": 1},
            ),
            Line(today, "", "", ""): Tally(refused=2, errors={"model_not_found": 2}),
            Line("2020-01-01", "", "ollama", "old"): Tally(requests=9),
        }
    )


def test_looking_makes_no_store(cli, paths: Paths) -> None:
    assert "Nothing was asked" in cli("usage").out
    assert json.loads(cli("usage", "--json").out)["totals"]["requests"] == 0
    assert not paths.store_file.exists()


def test_a_table_and_its_json(cli, paths: Paths) -> None:
    put(paths)
    shown = cli("usage").out
    assert "ollama://gemma3:4b" in shown and "250 ms" in shown and "(none)" in shown
    assert "old" not in shown
    assert "client_gone 1, model_not_found 2" in shown
    told = json.loads(cli("usage", "--by", "key", "--json").out)
    assert {group["name"]: group["requests"] for group in told["groups"]} == {"1f0c9a3e": 3, "": 0}
    assert "(no key)" in cli("usage", "--by", "key").out
    assert json.loads(cli("usage", "--days", "3660", "--json").out)["totals"]["requests"] == 12


def test_keys_are_shown_by_their_names(cli, paths: Paths) -> None:
    made = json.loads(cli("keys", "create", "laptop", "--json").out)
    today = day_of(time.time())
    line = Line(today, made["id"], "ollama", "gemma3:4b")
    UsageRepository(open_database(paths.store_file)).add({line: Tally(requests=1)})
    assert f"{made['id']} (laptop)" in cli("usage", "--by", "key").out
    (group,) = json.loads(cli("usage", "--by", "key", "--json").out)["groups"]
    assert group["key_name"] == "laptop"


def test_bounds_are_a_usage_error(cli) -> None:
    assert cli("usage", "--days", "0").code == 2
    assert cli("usage", "--by", "prompt").code == 2


def test_a_key_is_erased(cli, paths: Paths) -> None:
    put(paths)
    assert json.loads(cli("usage", "erase", "--key", "1f0c9a3e", "--json").out)["lines"] == 1
    assert json.loads(cli("usage", "--json").out)["totals"]["requests"] == 0
    assert "Erased 0 lines" in cli("usage", "erase", "--key", "1f0c9a3e").out


def test_what_runs_without_a_server_counts_too(cli) -> None:
    SCRIPTS["m"] = Script(say("Hello"))
    assert cli("run", "m", "hi").code == 0
    (group,) = json.loads(cli("usage", "--json").out)["groups"]
    assert (group["name"], group["requests"]) == ("scripted://m", 1)
