"""The models that exist, and the meaning of a reference."""
