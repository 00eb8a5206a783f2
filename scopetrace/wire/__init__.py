"""Events and metrics as others read them: JSON and lines of StatsD, printed or sent."""
