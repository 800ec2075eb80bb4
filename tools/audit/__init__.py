"""`make audit`: which package is imported where, how, and whether a start reaches it."""
