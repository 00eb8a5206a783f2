"""What differs between two sessions: each is read to facts, which are compared part by part."""
