"""The dashboard in a terminal: views of one session, read a page at a time.

`app` and `pane` are all that knows Textual. The rest is what they show, and is tested without it:
a view reads rows and says which command of scopetrace answers the same.
"""
