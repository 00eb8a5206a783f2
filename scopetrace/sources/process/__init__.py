"""The source process: programs started, processes made and ended, signals."""
