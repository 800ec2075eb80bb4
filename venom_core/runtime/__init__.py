"""Figures of the machine, and the feed of what changes."""
