"""The nouns of the project: plain data that all other folders may name. Imports nothing of ours."""
