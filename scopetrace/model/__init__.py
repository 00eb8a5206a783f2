"""The nouns of the project: plain data that every other room may name. Imports nothing of ours."""
