"""Hugging Face for Venom: a source of models. What is fetched is served by other plugins."""
