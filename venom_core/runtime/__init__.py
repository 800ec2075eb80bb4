"""Profiles and system figures."""
