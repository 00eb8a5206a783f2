"""The nouns of the project: plain data that every other folder may import. It imports none."""
