"""The group of entry points by which plugins are found; its name carries the plugin API's major."""

from __future__ import annotations

API_MAJOR = "v1"
ENTRY_POINT_PREFIX = "venom.providers."
