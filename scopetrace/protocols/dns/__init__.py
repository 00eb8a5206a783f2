"""DNS (RFC 1035): messages, and how streams frame them."""
