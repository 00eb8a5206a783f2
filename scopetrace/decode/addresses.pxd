cpdef parse_address(bytes raw, inode=*)
cpdef named(address, bytes name)
cpdef as_known(kernel, known)
