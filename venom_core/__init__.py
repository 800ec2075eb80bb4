"""Venom: the control plane for the language models on a person's own machine."""

from venom_core._version import __version__

__all__ = ["__version__"]
