import os
import sys

source = os.open("notes.txt", os.O_RDONLY)
target = os.open("copy.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
while part := os.read(source, 4):
    os.write(target, part)
os.close(source)
os.close(target)

again = os.open("notes.txt", os.O_RDONLY)
os.lseek(again, 5, os.SEEK_SET)
os.read(again, 4)
try:
    os.open("missing.txt", os.O_RDONLY)
except OSError:
    sys.exit(1)
