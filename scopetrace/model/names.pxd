cpdef long octal_digits(unsigned long mode)
