"""Venom's images: building, measuring and linting them, and trying them as users have them."""
