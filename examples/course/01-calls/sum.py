import os

word = "kernel"
total = 0
for i in range(1, 1001):
    total += i
line = f"{word} has {len(word)} letters, the sum is {total}\n"
os.write(1, line.encode())
os.getppid()
os.getppid()
os.getppid()
