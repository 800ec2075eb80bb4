"""The reference of the plugin API, made from the signatures and docstrings of `venom_core.sdk`.

The standard library's inspect reads them where they are: what it says of a dataclass or a class
that inherits is what Python does. griffe, the field's library for this, reads sources only, and
would be one dependency more for less.
"""
