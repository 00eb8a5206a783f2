"""Sessions written: a new session (`sessions`), its id and file, and its one writer (`writer`)."""
