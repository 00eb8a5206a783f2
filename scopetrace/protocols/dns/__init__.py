"""DNS: messages, their framing in streams, and which question an answer belongs to."""
