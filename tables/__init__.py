"""How the generated tables of system calls are made from the headers of the kernel."""
