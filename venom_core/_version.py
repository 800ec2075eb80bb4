"""The only version number in the tree: CalVer YYYY.M.PATCH, read by every distribution's build."""

__version__ = "2026.11.0"
