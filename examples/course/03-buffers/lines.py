import os
import sys

with open("log.txt", "w") as log:
    for i in range(1, 101):
        log.write(f"line {i}\n")

for _ in range(3):
    os.write(1, b"direct\n")
for _ in range(3):
    sys.stderr.write("complaint\n")
