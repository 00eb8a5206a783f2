"""Names that all modules of this source use."""

HTTP = "http"
"""The sourcetype, and the type of its metrics."""
