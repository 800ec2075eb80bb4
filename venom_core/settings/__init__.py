"""Layered settings, each value with its origin."""
