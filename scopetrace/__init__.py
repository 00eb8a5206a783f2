"""See what a Linux program does with files, logs, console and processes, and ask later."""

__version__ = "0.1.0"
