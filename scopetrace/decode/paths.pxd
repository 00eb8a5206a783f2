cpdef str text(bytes name)
