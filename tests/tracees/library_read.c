/* A library with a call of its own. With OTHER its code differs, and the bytes behind the call are in use. */
#ifdef OTHER
#define BEHIND "nop; nop; nop; nop; nop; nop; nop; nop; ret"
#else
#define BEHIND "ret; .fill 16, 1, 0xcc"
#endif

__asm__(".globl library_read\n"
        ".type library_read, @function\n"
        "library_read:\n"
        ".cfi_startproc\n"
        "    mov $0, %eax\n"
        "    syscall\n"
        "    " BEHIND "\n"
        ".cfi_endproc\n"
        ".size library_read, . - library_read\n");
