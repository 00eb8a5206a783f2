"""The session file as a database: what the writer (`store`) and the readers (`query`) share.

Where session files are, the schema, how text is stored, and what errors of SQLite mean.
"""
