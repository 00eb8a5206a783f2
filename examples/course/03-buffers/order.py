import os

print("first")
os.write(1, b"second\n")
print("third")
