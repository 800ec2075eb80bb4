"""Venom's provider for OpenAI-compatible servers elsewhere."""
