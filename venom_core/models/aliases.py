"""The fault of an alias: it hides a model of its own name, or leads to none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

from venom_core.models.references import follow, names_match
from venom_core.models.registry import ModelRegistry
from venom_core.sdk.errors import AmbiguousModel, InvalidRequest, ModelNotFound, NotFound
from venom_core.sdk.states import Reason


@dataclass(frozen=True, slots=True)
class AliasFaults:
    """Finds them against the models that are installed now.

    Args:
        aliases: every alias and its target.
    """

    registry: ModelRegistry
    aliases: Mapping[str, str]

    async def of(self, name: str) -> Reason | None:
        """Return what is wrong with an alias; None where nothing is, or where a provider that may
        have its model cannot be asked now."""
        return await self._missing(name) or await self._hidden(name)

    async def _missing(self, name: str) -> Reason | None:
        try:
            await self.registry.resolve(follow(self.aliases, name))
        except (ModelNotFound, NotFound, AmbiguousModel) as error:
            message = f"The alias {name!r} leads to no model. {error.message}"
            fault = InvalidRequest(message, code="alias_leads_nowhere", param="name", fix=error.fix)
            return Reason.of(fault)
        except InvalidRequest as error:
            return Reason.of(error)
        return None

    async def _hidden(self, name: str) -> Reason | None:
        listing = await self.registry.listing()
        hidden = [i.reference for i in listing.installed if names_match(name, i.model.ref)]
        if not hidden:
            return None
        message = f"The alias {name!r} hides the installed model {', '.join(hidden)}."
        fix = (
            f"Name that model in full, {hidden[0]}, or forget the alias: "
            f"venom alias rm {quote(name)}"
        )
        return Reason.of(InvalidRequest(message, code="alias_hides_model", param="name", fix=fix))
