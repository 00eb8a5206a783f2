"""What a recorder answers: one byte, and a sentence behind it unless that byte is GO."""

GO = b"g"
"""Run the program: it is traced. The engine itself writes it (ext/engine/engine.c)."""
REFUSED = b"e"
"""Tracing was refused."""
UNRECORDED = b"u"
"""Run the program; nothing can be recorded."""
