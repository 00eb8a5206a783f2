"""The source fs: files opened, closed, named and changed, and what failed."""
