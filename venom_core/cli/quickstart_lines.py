"""The lines of the quickstart, each made of figures measured just before."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from venom_core.cli.terminal import memory, size
from venom_core.cli.wording import words


def models_line(models: Sequence[dict[str, Any]], fetched: bool) -> str:
    """Return ``gemma3-270m-base 253 MB, ...   sha256 ok    (Gemma Terms of Use: ...)``."""
    amounts = ", ".join(f"{model['name']} {size(model['size_bytes'])}" for model in models)
    checked = "sha256 ok" if fetched else words("already there, sha256 ok when fetched")
    terms = [
        f"{model['license'] or words('Terms')}: {model['terms_url'].removeprefix('https://')}"
        for model in models
        if model["terms_url"]
    ]
    return f"[2/4] Models     {amounts}   {checked}" + (
        f"    ({', '.join(terms)})" if terms else ""
    )


def providers_line(providers: Sequence[dict[str, Any]], embedded: str, engine: str) -> str:
    """Return the line of the profile's providers, the embedded engine last with its figures.

    Args:
        engine: ``ready in 1.5 s, 392 MB``.
    """
    parts = []
    for provider in providers:
        if provider["name"] == embedded:
            continue
        reason = provider["reason"]
        problem = reason and f"{words(reason['message']).rstrip('.')} ({words('optional')})"
        parts.append(problem or f"{provider['name']} {words('ready')}")
    return f"[3/4] Providers  {' · '.join([*parts, f'{embedded} {engine}'])}"


def server_line(url: str, figures: str, before: str = "") -> str:
    return f"[4/4] Server     {before}{url}   {figures}"


def suggestion_lines(overview: dict[str, Any]) -> list[str]:
    """Return lines on what to get next, checked against the memory that is free now."""
    free = memory(overview["machine"]["memory_available_bytes"])
    first = (
        f"These models are small, for a demonstration. For real work, checked against your {free}:"
    )
    titles = {known["name"]: known["title"] for known in overview["providers"]}
    own = [found for found in overview["suggestions"] if _is_own(found)]
    others = [found for found in overview["suggestions"] if not _is_own(found)]
    fitting = [found for found in own if found["fits"]] or own
    # Of those that need no account and no hub the largest that fits; smaller ones are less of use.
    largest = sorted(fitting, key=lambda found: found["size_bytes"] or 0)[-1:]
    smallest_first = sorted(others, key=lambda found: found["size_bytes"] or 0)
    lines = [f"  {_offer(found, titles)}" for found in (*largest, *smallest_first)]
    return [first, *lines] if lines else []


def _is_own(found: dict[str, Any]) -> bool:
    return bool(found["available"]) and found["command"].split()[1] == "pull"


def _offer(found: dict[str, Any], titles: dict[str, str]) -> str:
    owner = titles.get(found["provider"], found["provider"])
    before = "" if found["available"] else words(f"install {owner}, then: ")
    fits = words("fits" if found["fits"] else "does not fit")
    return f"{before}{found['command']}   {size(found['size_bytes'])}   {fits}"


def last_line(url: str, *, stays: bool) -> str:
    end = words("   Ctrl-C stops everything") if stays else ""
    return f"Page {url}   OpenAI base_url {url}/v1   Stuck? {own_command()} doctor{end}"


def own_command() -> str:
    """Return how this `venom` is typed from here: ``.venv/bin/venom``, or ``venom`` where it is
    found."""
    script = Path(sys.argv[0])
    if script.name != "venom" or not script.is_absolute():
        return "venom"
    relative = os.path.relpath(script)
    return str(script) if relative.startswith("..") else relative
