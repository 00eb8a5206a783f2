"""The source console: what programs write to where their session started with its output."""
