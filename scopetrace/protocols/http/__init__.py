"""HTTP: heads, bodies and frames, from bytes cut anywhere."""
