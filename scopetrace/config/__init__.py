"""scope.yml: found, read, overridden from the environment, checked; errors name line and key.

`load` reads YAML. The recorder is sent a finished configuration (`serialize`) and imports neither
`load` nor YAML, so nothing is imported here.
"""
