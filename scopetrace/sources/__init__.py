"""Sources: each module or package here that names its `SOURCE` makes the events of one sourcetype.

A source takes operations, or what the parsers of `protocols` make of a flow, and emits events and
measures. No source imports another.
"""
