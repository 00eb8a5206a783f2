"""Formats that programs speak: bytes in, plain data out. No input or output, no events."""
