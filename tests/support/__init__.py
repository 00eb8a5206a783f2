"""What several test modules use: builders of records and sessions, servers, running programs."""
