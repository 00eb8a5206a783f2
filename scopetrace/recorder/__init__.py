"""Recording: the process that becomes the program, and the recorder that traces it.

`foreground.run_in_place` is what `scopetrace run` does, `api.run` the same for a Python program
that wants the session, `stop_recording.stop` ends a recording from outside.
"""
