"""Events and metrics as other programs read them: JSON and StatsD lines, printed or sent."""
