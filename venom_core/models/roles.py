"""The roles that one model each is active in, and what a model must be able to do for each."""

from __future__ import annotations

from typing import Literal, get_args

from venom_core.models.languages import languages_of
from venom_core.models.registry import ListedModel
from venom_core.sdk.errors import ModelNotCapable
from venom_core.sdk.spec import Capability, ProviderSpec

Role = Literal["chat", "embedding", "translation"]
#: In this order the active models settle what a bare name means.
ROLES: tuple[Role, ...] = get_args(Role)
#: Role -> what the model and what the provider must be able to do.
_NEEDS: dict[Role, tuple[str, Capability]] = {
    "chat": ("chat", Capability.CHAT),
    "embedding": ("embedding", Capability.EMBED),
    "translation": ("chat", Capability.CHAT),
}


def check_role(item: ListedModel, spec: ProviderSpec, role: Role) -> None:
    """Raise ``ModelNotCapable`` where the model cannot be the active one of ``role``; what a model
    does not tell of itself counts as yes."""
    ability, needed = _NEEDS[role]
    known = item.model.capabilities
    able = needed in spec.capabilities and (known is None or ability in known)
    spoken = languages_of(item.model) if role == "translation" else None
    if able and (spoken is None or len(spoken) > 1):
        return
    raise ModelNotCapable(
        f"{item.reference} cannot be the active model for {role}.",
        param="name",
        fix="See what each model can do with: venom list",
    )
