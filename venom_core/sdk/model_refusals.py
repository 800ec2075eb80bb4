"""Why a model's folder is listed and not run: each kind of reason with its code and what to do."""

from __future__ import annotations

from venom_core.sdk.errors import InvalidRequest, ModelNotCapable, StorageError, VenomError
from venom_core.sdk.printable import one_line

LONGEST_NAME = 100


def unsafe(message: str) -> VenomError:
    """Return the refusal of a folder that reaches for what is not its own."""
    fix = "Take the model from where you trust it; nothing of this folder is opened."
    return InvalidRequest(message, code="unsafe_model", fix=fix)


def damaged(message: str) -> VenomError:
    """Return the refusal of a folder whose files are not what they should be."""
    return StorageError(message, code="model_damaged", fix="Copy or fetch the folder again.")


def incomplete(message: str) -> VenomError:
    """Return the refusal of a folder in which a file is missing."""
    return StorageError(message, code="model_incomplete", fix="Copy or fetch the whole folder.")


def not_served(message: str) -> VenomError:
    """Return the refusal of a model of a kind that this engine does not run."""
    return ModelNotCapable(message, fix="Choose another model: venom list")


def shown(name: str) -> str:
    """Return a name that somebody else wrote as a sentence shows it."""
    return one_line(name[:LONGEST_NAME])
