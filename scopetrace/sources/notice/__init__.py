"""The source notice: what the user should know about the recording itself."""
