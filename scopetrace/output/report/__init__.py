"""A session as one HTML page: `parts` chooses what is in it, `page` puts it together.

The page is made of page.html, page.css and page.js in this folder. It loads nothing and sends
nothing: its Content-Security-Policy allows its own style and script, known by their hashes, and no
network. Data is in it as JSON, and the script sets all texts as text.
"""

BEGINNING_BYTES = 200
MARK = b'<meta name="generator" content="scopetrace">'
"""What is in the first `BEGINNING_BYTES` of each page, and in no other file."""
