"""The source dns: questions that programs ask, the answers, and questions without an answer."""

from scopetrace.sources.dns.source import DnsSource as SOURCE

__all__ = ["SOURCE"]
