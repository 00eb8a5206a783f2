import os

print("the last words")
os._exit(0)
