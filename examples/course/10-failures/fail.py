"""Does one thing that fails, and says as much about it as many programs do."""

import os
import sys

what = sys.argv[1]
try:
    if what == "path":
        os.open("letters/2026/may.txt", os.O_RDONLY)
    elif what == "rights":
        os.execl("./tool", "tool")
    elif what == "limit":
        while True:
            os.open("/dev/null", os.O_RDONLY)
except OSError as error:
    sys.exit(f"{what}: {error.strerror}")
