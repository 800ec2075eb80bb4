"""Listings of the Hub and records on the disk, with anything in the place of a number."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from venom_llamacpp.hub import parse_listing
from venom_llamacpp.store import ModelStore

HOSTILE: list[Any] = [
    10**30, -1, 2**63, math.nan, math.inf, "12", True, None, 1e308, [],
]  # fmt: skip
hostile = pytest.mark.parametrize("value", HOSTILE, ids=[repr(value)[:12] for value in HOSTILE])


@hostile
def test_a_file_of_a_listing(value: Any) -> None:
    good = {"path": "m-Q4_K_M.gguf", "lfs": {"oid": "a" * 64, "size": 3}}
    rows = [{**good, "path": "m-Q8_0.gguf", "lfs": {"oid": "b" * 64, "size": value}},
            {**good, "lfs": value}, value, good]  # fmt: skip
    (found,) = parse_listing(json.dumps(rows).encode())
    assert (found.name, found.size_bytes) == ("m-Q4_K_M.gguf", 3)


def published(store: ModelStore, ref: str, facts: dict[str, Any]) -> Path:
    folder = store.temporary(ref)
    (folder / "model").write_bytes(b"12345")
    return store.publish(ref, folder / "model", "f" * 64, facts).path.with_suffix(".json")


@hostile
def test_a_record_of_a_pulled_model(tmp_path: Path, value: Any) -> None:
    store = ModelStore(tmp_path)
    published(store, "whole", {"context_length": 4096})
    record = published(store, "odd", {})
    content = json.loads(record.read_text())
    facts = {"context_length": value, "pooling": value, "chat": True}
    record.write_text(json.dumps({**content, "facts": facts}))
    found = {item.ref: item.facts for item in store.list()}
    assert found == {"whole": {"context_length": 4096}, "odd": {"chat": True}}
    record.write_text(json.dumps({**content, "size_bytes": value}))
    assert [item.ref for item in store.list()] == ["whole"]
    record.write_text(json.dumps({**content, "facts": value}))
    assert {item.ref: item.facts for item in store.list()}["odd"] == {}
