"""First steps where no model can answer yet: a screen that offers an engine or a model.

On a terminal the person chooses and the command goes on to its answer; elsewhere the screen is
instructions and the command ends with its refusal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from shlex import quote
from typing import TYPE_CHECKING, Any, TypeVar

from venom_core.cli.connection.lock import stop_command
from venom_core.cli.connection.server_file import find_server
from venom_core.cli.installing import estimate, install_and_show
from venom_core.cli.pulling import pull_and_show
from venom_core.cli.terminal import ask, ask_for, interactive, note, size
from venom_core.cli.wording import words
from venom_core.installing.first_steps import plugin_of
from venom_core.sdk.errors import VenomError
from venom_core.sdk.spec import Setting, SettingValue
from venom_core.settings.paths import Paths

if TYPE_CHECKING:
    from venom_core.cli.connection.loop import Session

T = TypeVar("T")
Overview = dict[str, Any]

#: The plugin that brings an engine of its own, and the provider that takes a URL.
EMBEDDED, REMOTE = plugin_of("engine"), plugin_of("server")
URLS = f"providers.{REMOTE}.urls"
USABLE = ("ready", "degraded")
_NOTHING_ANSWERS = ("no_model", "model_not_found", "provider_not_found", "engine_missing")


def guided(
    session: Session, model: str | None, work: Callable[[], T], *, may_ask: bool = True
) -> T:
    """Do the work; where it fails for want of an engine or a model, offer one and do it again."""
    try:
        return work()
    except VenomError as error:
        if error.code not in _NOTHING_ANSWERS:
            raise
        if not (may_ask and offer(session, model, error)):
            raise
    return work()


def offer(session: Session, model: str | None, error: VenomError) -> bool:
    """Show what is missing; True where it is there now."""
    overview = session.run(session.connection.overview())
    if not usable_engines(overview):
        return offer_engine(session, overview)
    if model is not None:
        return error.code == "model_not_found" and offer_pull(session, model)
    return offer_models(session, overview)


def usable_engines(overview: Overview) -> list[Overview]:
    """Return the providers that could chat now if they had a model."""
    return [
        provider
        for provider in overview["providers"]
        if provider["status"] in USABLE and "chat" in provider["capabilities"]
    ]


def _say(text: str = "") -> None:
    print(words(text), file=sys.stderr, flush=True)


# -- no engine ------------------------------------------------------------------------------------


def offer_engine(session: Session, overview: Overview) -> bool:
    """Offer the ways that can be gone from here; True where something that answers is there now."""
    _say("Nothing on this machine can run a model yet.")
    for provider in overview["providers"]:
        if provider["reason"]:
            _say(f"  {provider['title']}: {words(provider['reason']['message'])}")
    ways = overview["first_steps"]
    if not interactive() and ways:
        _say("Do one of these, then run the command again:")
    for place, way in enumerate(ways, 1):
        amount = _engine_size(session, way) if way["kind"] == "engine" else ""
        _say(f"  {place}) {words(way['title']).rstrip('.')}{amount}:")
        for command in way["commands"]:
            _say(f"     {command}")
    if not interactive() or not ways:
        return False
    chosen = ask_for("Which one? [1] ", "1")
    if not chosen.isdigit() or not 1 <= int(chosen) <= len(ways):
        return False
    match ways[int(chosen) - 1]["kind"]:
        case "engine":
            return install_embedded(session)
        case "server":
            return use_server(session)
    return False


def _engine_size(session: Session, way: dict[str, Any]) -> str:
    """Return `` (engine: 34 MB)``: what the plugin says of its engine, else what an index says of
    both, else the most that it is on any system."""
    count = session.connection.engine_size(way["plugin"])
    if count is None and interactive():
        count = estimate(way["plugin"])
    if count:
        return words(f" (engine: {size(count)})")
    return words(f" (engine: at most {size(way['size_bytes'])})") if way["size_bytes"] else ""


def install_embedded(session: Session) -> bool:
    """Install the engine, then fetch the smallest model that converses; nothing is restarted."""
    install_and_show(EMBEDDED)
    record = session.run(session.connection.change_plugin(EMBEDDED, "retry"))
    broken = [p["reason"] for p in record["providers"] if p["status"] not in (*USABLE, "idle")]
    if record["state"] != "loaded" or broken:
        reason = (broken or [record["reason"]])[0] or {}
        _say(f"It is installed but does not start: {reason.get('message', record['state'])}")
        return False
    listing = session.run(session.connection.models())
    offered = [model for model in listing["available"] if model["provider"] == EMBEDDED]
    if [model for model in listing["models"] if model["provider"] == EMBEDDED] or not offered:
        return True
    chosen = min(offered, key=lambda model: (model["base_model"], model["size_bytes"] or 0))
    return _pull(session, chosen["reference"], chosen["size_bytes"], chosen["terms_url"])


def use_server(session: Session) -> bool:
    """Keep the URL in ``config.toml`` and go on with it."""
    url = ask_for("Its URL, for example http://192.168.1.20:8000: ")
    if not url:
        return False
    if not any(record["id"] == REMOTE for record in session.run(session.connection.plugins())):
        install_and_show(REMOTE)  # light and embedded come without it
    add_server_url(Paths.resolve(), url)
    if session.connection.url is not None:
        record = find_server(Paths.resolve())
        stop = f" ({stop_command(record.pid)})" if record else ""
        _say(
            "Saved. The running server reads it when it starts again: "
            f"stop it{stop}, then: venom serve"
        )
        return False
    session.reopen_here()
    return True


def add_server_url(paths: Any, url: str) -> None:
    """Add to ``providers.remote.urls``. Raises ``InvalidRequest`` for what is no URL."""
    # Imported here: pydantic is too slow for `run --help`.
    from venom_core.settings.changes import value_at
    from venom_core.settings.layers import Settings
    from venom_core.settings.values import convert

    checked = convert(Setting("urls", "url", None, ""), url, "the URL")

    def wanted(tables: dict[str, Any], _: dict[str, Any]) -> dict[str, SettingValue]:
        kept = value_at(tables, URLS) or []
        return {URLS: (*kept, str(checked))} if checked not in kept else {}

    Settings.load(paths).write(wanted)


# -- an engine, no model --------------------------------------------------------------------------


def offer_models(session: Session, overview: Overview) -> bool:
    """Offer the models that an engine of this machine could fetch now, with sizes."""
    offered = [found for found in overview["suggestions"] if found["available"]]
    _say(
        "No model is installed yet."
        if offered
        else "No model is installed, and none can be fetched."
    )
    for place, found in enumerate(offered, 1):
        fits = words(found["fit_message"])
        _say(f"  {place}) {found['name']}   {size(found['size_bytes'])}, {fits}")
        if found["summary"]:
            _say(f"     {found['summary']}")
    if not offered:
        return False
    if not interactive():
        _say(f"Fetch one, then run the command again: venom pull {quote(offered[-1]['name'])}")
        return False
    chosen = ask_for("Which one do you want to fetch? [none] ")
    if not chosen.isdigit() or not 1 <= int(chosen) <= len(offered):
        return False
    found = offered[int(chosen) - 1]
    return _pull(session, found["name"], found["size_bytes"], found["terms_url"])


def offer_pull(session: Session, name: str) -> bool:
    """Fetch the named model if the person agrees. Nothing is fetched unasked."""
    overview = session.run(session.connection.overview())
    bare = name.rpartition("://")[2]
    known = [found for found in overview["suggestions"] if found["name"] == bare]
    if not interactive() or (known and not known[0]["available"]):
        return False
    amount = f" ({size(known[0]['size_bytes'])}, {known[0]['fit_message']})" if known else ""
    if not ask(f"{name} is not installed{amount}. Fetch it now?"):
        return False
    return _pull(session, name, None, known[0]["terms_url"] if known else None)


def _pull(session: Session, name: str, count: int | None, terms: str | None) -> bool:
    note(f"Fetching {name}" + (f", {size(count)}" if count else ""))
    if terms:
        note(f"By using it you accept its terms: {terms}")
    pull_and_show(session, name)
    return True
