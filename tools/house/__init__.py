"""The rules of the house that no linter knows, one rule a module.

Each module has ``check(tree) -> list[str]``: a sentence for each violation, none when all is well.
One that measures something has ``figure(tree) -> str`` beside it, printed on the check's line.
``python -m tools.house`` runs them all, ``python -m tools.house NAME ...`` some.
"""
