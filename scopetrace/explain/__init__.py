"""Texts about system calls and their errors: data for teaching, in TOML files beside this one.

`calls.toml` says what a call does, `errors.toml` what an error means. They use nothing of the other
folders, and no session.
"""
