import os

child = os.fork()
if child == 0:
    os.execl("/bin/sh", "sh", "-c", "sleep 0.4; exit 3")
_, status = os.waitpid(child, 0)
print("the child ended with", os.waitstatus_to_exitcode(status))
