"""What one chooses about models, done and told in the words that API and command line share."""

from __future__ import annotations

from typing import Any

from venom_core.models.manager import ModelManager, Switch
from venom_core.models.roles import Role
from venom_core.sdk.errors import UpstreamError
from venom_core.store.audit import Actor


def switch_view(switch: Switch) -> dict[str, Any]:
    """A model is the active one of a role."""
    reference = switch.item.reference
    changed = f"{reference} is now the active model for {switch.role}."
    same = f"{reference} was the active model for {switch.role} already."
    return {
        "success": True,
        "message": changed if switch.changed else same,
        "role": switch.role,
        "reference": reference,
        "before": switch.before,
        "loaded": switch.loaded,
    }


async def deactivate(manager: ModelManager, role: Role, actor: Actor) -> dict[str, Any]:
    """Let a role have no active model."""
    before = await manager.deactivate(role, actor)
    message = f"No model is active for {role} now."
    return {"success": True, "message": message, "role": role, "before": before}


async def unload_all(manager: ModelManager) -> dict[str, Any]:
    """Ask every provider to take its models out of memory. Raises ``UpstreamError``
    (``unload_incomplete``) where one failed; the others have done it then."""
    gone, faults = await manager.memory.unload_all()
    if faults:
        first = next(iter(faults.values()))
        raise UpstreamError(
            f"Not everything was taken out of memory. {first.message}",
            code="unload_incomplete",
            fix=first.fix,
        )
    message = f"No longer in memory: {', '.join(gone)}." if gone else "No model was in memory."
    return {"success": True, "message": message, "unloaded": gone}


async def aliases(manager: ModelManager) -> dict[str, Any]:
    """Every alias and its target, by name."""
    known = (await manager.state()).aliases
    listed = [{"name": name, "target": target} for name, target in sorted(known.items())]
    return {"success": True, "aliases": listed, "count": len(listed)}


async def set_alias(manager: ModelManager, name: str, target: str, actor: Actor) -> dict[str, Any]:
    """Let a name stand for a reference, a bare name or another alias."""
    await manager.set_alias(name, target, actor)
    message = f"{name} stands for {target} now."
    return {"success": True, "message": message, "name": name, "target": target}


async def remove_alias(manager: ModelManager, name: str, actor: Actor) -> dict[str, Any]:
    """Forget an alias."""
    target = await manager.remove_alias(name, actor)
    return {"success": True, "message": f"{name} does not stand for {target} any more."}
