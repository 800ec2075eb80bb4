"""Ollama as a provider of Venom, through its native API."""
