"""Venom: the control plane for the language models on a person's own machine."""

import os

from venom_core._version import __version__

# To look for plugins of its own, pydantic reads the entry points of everything that is installed,
# and one unreadable file among them would stop every command. Nothing here uses them.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

__all__ = ["__version__"]
