"""Everything that a person or a program can ask for, one module a noun.

A use case does the work, writes the audit entry, publishes the event and returns a typed result;
the API and the command line are thin over it.
"""
