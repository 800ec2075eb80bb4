"""How a command reaches Venom: over HTTP where a server runs, in this process where none does."""
