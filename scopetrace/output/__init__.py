"""How answers look: lines, tables, JSON, colour. Whatever a traced program wrote is made safe here.

No module here opens a file or knows a command; it turns records into text.
"""
