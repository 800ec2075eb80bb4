"""Generation parameters that the original system kept in one variable, taken into the store."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from venom_core.models.generation import checked
from venom_core.models.manager import ModelManager
from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.sdk.disk import write_file
from venom_core.sdk.errors import VenomError
from venom_core.store.audit import Actor

log = logging.getLogger(__name__)

OVERRIDES = "MODEL_GENERATION_OVERRIDES"
#: The engines' own names of parameters -> the OpenAI ones.
PARAMETERS = {
    "num_predict": "max_tokens",
    "max_length": "max_tokens",
    "repetition_penalty": "repeat_penalty",
}
NO_OBJECT = "It is not the JSON object that it should be."
#: Marks of entries that were read; more than any variable has.
MOST_MARKS = 10_000

Outcome = Literal["taken", "left"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing of the original: ``name`` as it was called there, what became of it, and the
    sentence that says so. A secret's value is not in it."""

    name: str
    outcome: Outcome
    message: str

    def record(self) -> dict[str, str]:
        return {"name": self.name, "outcome": self.outcome, "message": self.message}


@dataclass(frozen=True, slots=True)
class Override:
    """One entry: the parameters of a model of a runtime, as the original names both."""

    runtime: str
    model: str
    given: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{OVERRIDES} {self.runtime} {self.model}"

    @property
    def mark(self) -> str:
        """Return by what an entry is known to have been read: another value is another entry."""
        whole = json.dumps([self.runtime, self.model, self.given], sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()


class KeptOverrides:
    """Takes the entries of the variable into the store: by command, or once at a start."""

    def __init__(self, registry: ModelRegistry, manager: ModelManager) -> None:
        self._registry = registry
        self._manager = manager

    async def take(self, text: str, actor: Actor, *, dry_run: bool = False) -> list[Finding]:
        """Store every entry whose model is installed, in place of what is stored for it."""
        return [
            entry
            if isinstance(entry, Finding)
            else await self._take(entry, await self._find(entry), actor, dry_run=dry_run)
            for entry in entries(text)
        ]

    async def take_once(self, text: str, marks: Path, actor: Actor) -> list[Finding]:
        """Store every entry that was not read yet, and never over parameters that are stored
        already. One whose model is not installed is read again at the next start.

        Args:
            marks: the file that remembers what was read.
        """
        known = await asyncio.to_thread(_read_marks, marks)
        found: list[Finding] = []
        read = set(known)
        for entry in entries(text):
            if isinstance(entry, Finding):
                found.append(entry)
                continue
            if entry.mark in known:
                continue
            item = await self._find(entry)
            if item is not None and await self._manager.overrides(item):
                message = f"{item.reference} has parameters of its own."
                found.append(Finding(entry.name, "left", message))
            else:
                found.append(await self._take(entry, item, actor, dry_run=False))
            if item is not None:
                read.add(entry.mark)
        if read != known:
            await asyncio.to_thread(write_file, marks, json.dumps(sorted(read)))
        return found

    async def _find(self, entry: Override) -> ListedModel | None:
        return await find_model(self._registry, entry.model, entry.runtime)

    async def _take(
        self, entry: Override, found: ListedModel | None, actor: Actor, *, dry_run: bool
    ) -> Finding:
        name = entry.name
        if found is None:
            message = f"{entry.model} is not installed here; install it and repeat."
            return Finding(name, "left", message)
        renamed = {PARAMETERS.get(key, key): value for key, value in entry.given.items()}
        schema = self._manager.generation(found, {}).schema
        known = set(schema)
        kept: dict[str, Any] = {}
        problems: list[str] = []
        for key in [key for key in renamed if key in known]:
            try:
                kept |= checked(schema, {key: renamed[key]}, model=found.reference)
            except VenomError as error:
                problems.append(error.message)
        dropped = sorted(set(renamed) - known)
        try:
            if kept and not dry_run:
                await self._manager.configure(found, kept, actor)
        except VenomError as error:
            return Finding(name, "left", error.message)
        if problems and not kept:
            return Finding(name, "left", " ".join(problems))
        rest = f"; without {', '.join(dropped)}, which is none of its parameters" if dropped else ""
        rest += f". {' '.join(problems)}" if problems else ""
        return Finding(name, "taken" if kept else "left", f"{found.reference}: {kept}{rest}")


def entries(text: str) -> Iterator[Override | Finding]:
    """Yield the entries of the variable, and a finding for each part that is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        yield Finding(OVERRIDES, "left", NO_OBJECT)
        return
    for runtime, models in found.items():
        if not isinstance(models, dict):
            yield Finding(f"{OVERRIDES} {runtime}", "left", NO_OBJECT)
            continue
        for model, given in models.items():
            if isinstance(given, dict):
                yield Override(runtime, model, given)
            else:
                yield Finding(f"{OVERRIDES} {runtime} {model}", "left", NO_OBJECT)


async def find_model(registry: ModelRegistry, name: str, runtime: str) -> ListedModel | None:
    """Return the installed model that the original's name means: as it is, or by its last part."""
    short = name.rsplit("/", 1)[-1]
    for candidate in (f"{runtime}://{name}", name, short):
        try:
            return await registry.resolve(candidate)
        except VenomError:
            continue
    listing = await registry.listing()
    same = [
        item
        for item in listing.installed
        if item.model.ref.rsplit("/", 1)[-1].partition(":")[0] == short
    ]
    return same[0] if len(same) == 1 else None


def _read_marks(file: Path) -> set[str]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return set()
    rows = found[:MOST_MARKS] if isinstance(found, list) else []
    return {one for one in rows if isinstance(one, str)}
