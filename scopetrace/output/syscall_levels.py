"""How much is said about system calls (`scopetrace syscalls --level`)."""

from __future__ import annotations

LEVELS = ("beginner", "normal", "expert")
BEGINNER, NORMAL, EXPERT = LEVELS
