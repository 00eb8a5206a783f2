"""Records as text: lines, tables, graphs, colour, capture files.

Text that a traced program wrote is escaped here. These modules open no files and know no commands.
"""
