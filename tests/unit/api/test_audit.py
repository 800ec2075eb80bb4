"""The audit trail's filters: what, who and when, page by page."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.store.audit import Actor
from venom_core.store.tables import audit
from venom_core.store.transactions import writing
from venom_core.testing.staging import client_of

PATH = "/api/v1/audit"
WRITTEN = [
    ("2026-11-01T23:59:59.999Z", "key.create", "one", "local"),
    ("2026-11-02T00:00:00.000Z", "key.revoke", "two", "1a2b3c4d"),
    ("2026-11-02T12:00:00.000Z", "model.load", "three", None),
    ("2026-11-03T00:00:00.000Z", "keys.other", "four", None),
]
ASKED: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["four", "three", "two", "one"]),
    ({"action": "key"}, ["two", "one"]),
    ({"action": "key.create"}, ["one"]),
    ({"key": "local"}, ["one"]),
    ({"key": ""}, ["four", "three"]),
    ({"since": "2026-11-02"}, ["four", "three", "two"]),
    ({"until": "2026-11-02"}, ["three", "two", "one"]),
    ({"since": "2026-11-02", "until": "2026-11-02", "action": "model"}, ["three"]),
    ({"key": "unknown"}, []),
]


def written(venom: Any) -> None:
    with writing(venom.store.engine) as connection:
        for at, action, subject, key_id in WRITTEN:
            row = {"at": at, "action": action, "subject": subject, "key_id": key_id}
            connection.execute(audit.insert().values(**row))


@pytest.mark.parametrize(("query", "found"), ASKED)
async def test_a_filter(make_venom: MakeVenom, query: dict[str, Any], found: list[str]) -> None:
    venom = make_venom()
    written(venom)
    async with client_of(venom) as client:
        told = (await client.get(PATH, params=query)).json()
    assert [entry["subject"] for entry in told["entries"]] == found


async def test_pages_of_what_is_filtered(make_venom: MakeVenom) -> None:
    venom = make_venom()
    for number in range(5):
        actor = Actor("local", None)
        venom.store.record_audit(actor, "model.load", str(number), None, None)
        venom.store.record_audit(actor, "alias.set", "between", None, None)
    seen, cursor = [], None
    async with client_of(venom) as client:
        while True:
            query = {"action": "model", "limit": 2} | ({"cursor": cursor} if cursor else {})
            told = (await client.get(PATH, params=query)).json()
            seen += [entry["subject"] for entry in told["entries"]]
            cursor = told["next_cursor"]
            if cursor is None:
                break
    assert seen == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize("query", [{"action": "KEY"}, {"action": "a.b.c"}, {"since": "soon"}])
async def test_a_filter_that_is_none(make_venom: MakeVenom, query: dict[str, str]) -> None:
    async with client_of(make_venom()) as client:
        assert (await client.get(PATH, params=query)).status_code == 422
