"""Which bytes and texts go to which source: connections recognised, text cut into events."""
