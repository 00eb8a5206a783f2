"""Write a line to a log and a line to another file: see README.md beside this file."""

with open("wontsee.txt", "w") as file:
    file.write("wont see this string")

with open("willsee.log", "w") as log:
    log.write("will see this string")
