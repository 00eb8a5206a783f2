"""The source http: requests and responses, HTTP/1 and HTTP/2, seen from either side."""
