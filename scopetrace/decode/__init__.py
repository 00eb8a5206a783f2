"""What each record meant, given those before it: processes, folders, fds → operations.

Records come in by `Decoder.decode`, operations leave through the callable it was given. Nothing
here asks the tracee, the file system or the configuration.
"""
