"""The source file: what programs write to log files."""
