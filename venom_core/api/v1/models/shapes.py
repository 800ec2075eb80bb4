"""The shapes of the model area's requests, and the limits they share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field

from venom_core.chat.validation import Body
from venom_core.models.references import MAX_LENGTH
from venom_core.models.roles import Role

#: How many of something a listing gives; outside is 422.
Limit = Annotated[int, Query(ge=1, le=200)]


class InstallRequest(Body):
    """``name`` is a reference; ``provider://`` in front says who fetches it."""

    name: str = Field(min_length=1, max_length=MAX_LENGTH)


class RegistryInstallRequest(InstallRequest):
    """``runtime`` is the provider that is to serve the model, where that is not its source."""

    provider: str = Field(min_length=1, max_length=50)
    runtime: str | None = Field(default=None, max_length=50)


class BuildModelRequest(Body):
    """``model_name`` is an installed model with a folder of its own; null means the format's
    default."""

    model_name: str = Field(min_length=1, max_length=MAX_LENGTH)
    precision: str | None = Field(default=None, min_length=1, max_length=20)
    execution_provider: str | None = Field(default=None, min_length=1, max_length=20)


class RoleRequest(Body):
    role: Role = "chat"


class SwitchRequest(RoleRequest):
    """``load`` brings the model into memory first."""

    name: str = Field(min_length=1, max_length=MAX_LENGTH)
    load: bool = False


class ActivateRequest(SwitchRequest):
    """``runtime`` is the provider that must serve the model."""

    runtime: str = Field(min_length=1, max_length=50)


class SelfTestRow(Body):
    """One answered question of a self-test."""

    group: str = Field(min_length=1, max_length=50)
    name: str = Field(min_length=1, max_length=100)
    outcome: Literal["honoured", "emulated", "refused", "broken"]
    note: str | None = Field(default=None, max_length=1000)


class SelfTestRequest(Body):
    """``rows`` as ``venom selftest --json`` prints them."""

    rows: list[SelfTestRow] = Field(min_length=1, max_length=200)


class AliasRequest(Body):
    name: str = Field(min_length=1, max_length=100)
    target: str = Field(min_length=1, max_length=MAX_LENGTH)


class ConfigRequest(Body):
    """``params`` take the place of what was stored; empty forgets it."""

    runtime: str | None = Field(default=None, min_length=1, max_length=50)
    params: dict[str, Any] = Field(default_factory=dict, max_length=50)
