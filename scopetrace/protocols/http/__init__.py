"""HTTP/1 and HTTP/2: parsers that take bytes cut anywhere and hand messages to an `Emitter`."""
