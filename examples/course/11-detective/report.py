import os
import sys

FAILED = "report: something went wrong"


def first_of(places):
    for place in places:
        try:
            return os.open(place, os.O_RDONLY)
        except OSError:
            pass
    sys.exit(FAILED)


conf = first_of(["/nowhere/report.conf", "conf/report.conf", "report.conf"])
target = os.read(conf, 99).decode().rstrip("\n")

draft = os.open("report.tmp", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
os.write(draft, b"all is well\n")
os.close(draft)
try:
    os.rename("report.tmp", target)
except OSError:
    sys.exit(FAILED)
print("report: done")
