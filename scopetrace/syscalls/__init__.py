"""Every system call of x86-64 Linux: numbers, arguments, what to copy of them, its line.

The rule: a fact about a call stands in its row of table.txt, and a fact about a structure in its
row of structs.txt. What the engine copies and what is printed both follow from the kinds that the
rows name. A kind that is not known is printed as a number in hex, never as a guess.
"""
