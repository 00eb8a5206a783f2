"""Names that the source and its reader share."""

DNS = "dns"
"""The sourcetype, the type of its metrics, and the key of the questions in `Flow.socket_shared`."""
UNKNOWN = "dns.unknown"
"""Key of `Flow.socket_shared`: the flow of what the socket received from an unknown peer."""
PROTOCOL = "DNS"
"""As detectors name it."""
