"""Models into memory and out of it, for `venom load`, `venom unload` and their likes at `venom
engines`: an engine of Venom's own is started and stopped with its model."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from venom_core.cli.connection.session import connected
from venom_core.cli.terminal import note, print_json, say
from venom_core.sdk.errors import InvalidRequest, Unavailable, VenomError

if TYPE_CHECKING:
    from venom_core.cli.connection.interface import Connection
    from venom_core.cli.connection.loop import Session

POLL_SECONDS = 1.0


def load_and_show(name: str, command: str, *, as_json: bool, engines_only: bool = False) -> None:
    """Bring a model into memory; say meanwhile how far its engine is.

    Args:
        command: as typed, shown to whoever meets our lock.
        engines_only: refuse a model that has no engine of Venom's own; ``name`` may be a provider's
            that has one engine for all models.
    """
    with connected(command, writes=True) as session:
        if engines_only and (done := _of_provider(session, name, "start")):
            _show(done, as_json=as_json)
            return
        model = session.run(session.connection.details(name))
        if engines_only:
            session.run(check_engine(session.connection, model))
        if session.connection.ends_with_it(model["provider"]):
            raise Unavailable(
                f"The engine of {model['reference']} would end with this command.",
                code="server_needed",
                fix="Start the server, then load the model: venom serve",
            )
        answer = session.run(_loaded(session.connection, model["reference"]))
    _show(answer, as_json=as_json)


def unload_and_show(
    name: str | None, command: str, *, as_json: bool, engines_only: bool = False
) -> None:
    """Take a model out of memory, or every one where none is named; as :func:`load_and_show`."""
    with connected(command, writes=True) as session:
        if name is None:
            message = session.run(session.connection.unload_all())["message"]
        else:
            if engines_only:
                if done := _of_provider(session, name, "stop"):
                    _show(done, as_json=as_json)
                    return
                model = session.run(session.connection.details(name))
                session.run(check_engine(session.connection, model))
            message = session.run(session.connection.unload(name))
    if as_json:
        print_json({"success": True, "message": message})
    else:
        say(message)


def restart_and_show(provider: str, command: str, *, as_json: bool) -> None:
    """Stop and start the one engine of a provider."""
    with connected(command, writes=True) as session:
        answer = session.run(session.connection.change_service(provider, "restart"))
    _show(answer, as_json=as_json)


def _of_provider(session: Session, name: str, verb: str) -> Any:
    """Start or stop the one engine of a provider; return None, having done nothing, where the name
    is not of one that has such an engine."""
    if name not in session.run(session.connection.engines())["servers"]:
        return None
    return session.run(session.connection.change_service(name, verb))


def _show(answer: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        say(answer["message"])


async def check_engine(connection: Connection, model: dict[str, Any]) -> None:
    """Raise ``InvalidRequest`` (``no_own_engine``) for a model that no engine of Venom's own
    runs."""
    if model["provider"] not in (await connection.engines())["providers"]:
        raise InvalidRequest(
            f"{model['reference']} runs in no engine that Venom starts.",
            code="no_own_engine",
            fix="For models of other servers: venom load NAME, venom unload NAME, venom ps",
        )


async def _loaded(connection: Connection, reference: str) -> dict[str, Any]:
    import asyncio  # here, with all that it brings: a help needs no event loop

    loading = asyncio.create_task(connection.load(reference))
    said: str | None = None
    try:
        while not (await asyncio.wait({loading}, timeout=POLL_SECONDS))[0]:
            with contextlib.suppress(VenomError):  # how far it is matters less than that it goes on
                for engine in await starting(connection):
                    if engine["reference"] == reference and engine["progress"] not in (None, said):
                        said = engine["progress"]
                        note(loading_sentence(engine))
        return await loading
    finally:
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)


async def starting(connection: Connection) -> list[dict[str, Any]]:
    """Return the engines that start now."""
    engines = (await connection.engines())["engines"]
    return [one for one in engines if one["state"] == "starting" and one["reference"]]


def loading_sentence(engine: dict[str, Any]) -> str:
    """Return the sentence that says how far an engine that starts is."""
    reference, progress = engine["reference"], engine["progress"]
    if progress is None:
        return f"{reference} is being loaded."
    return f"{reference} is being loaded ({progress})."
