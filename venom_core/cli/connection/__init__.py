"""A command's way to Venom: over HTTP where a server runs, in this process where none does."""
