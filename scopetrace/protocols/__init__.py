"""Formats of protocols: parsers and signatures, without I/O, events, flows or configuration."""
