"""The source http: requests and responses, HTTP/1 and HTTP/2, recorded at either side."""

from scopetrace.sources.http.source import HttpSource as SOURCE

__all__ = ["SOURCE"]
