"""Ollama's API as a facade over every provider."""
