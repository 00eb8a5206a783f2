"""Net: connections and messages, from the program's side."""
