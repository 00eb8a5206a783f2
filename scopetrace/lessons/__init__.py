"""Lessons about system calls: a program, questions, and a session that has the answers."""
