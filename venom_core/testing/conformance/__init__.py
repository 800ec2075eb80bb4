"""The conformance kit: what every provider keeps to, one rule at a time.

A rule is an asynchronous function over a provider that is set up (:mod:`.case`). They are examined
by :func:`~venom_core.testing.conformance.examination.examine`; ``venom plugins check`` prints what
comes of it, and :class:`~venom_core.testing.ProviderConformance` makes a test of each.
"""
