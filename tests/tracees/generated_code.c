/*
 * Reads a file by code that it has made, copied, moved or loaded anew: generated_code MODE. Each call reads one
 * byte, and the position of the file says that each was made once.
 */
#include "expect.h"

#include <dlfcn.h>
#include <stdint.h>
#include <sys/mman.h>

enum { ROUNDS = 100, PAGE = 4096 };

typedef long read_code(int fd, void *buffer, size_t size);

/* read(2) in a page of its own, with dead bytes behind it. */
__asm__(".section .text.own_page, \"ax\"\n"
        ".balign 4096\n"
        "own_read:\n"
        "    mov $0, %eax\n"
        "    syscall\n"
        "    ret\n"
        "    .fill 4096 - (. - own_read), 1, 0xcc\n"
        ".text\n");
extern const char own_read[];

static const unsigned char READ_CODE[] = { 0x31, 0xc0, 0x0f, 0x05, 0xc3, 0xcc,
                                           0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc };
static long reads;

static void read_by(const void *code, int fd, int rounds)
{
    read_code *call = (read_code *)(uintptr_t)code;
    char byte;

    for (int i = 0; i < rounds; i++)
        MUST(call(fd, &byte, 1) == 1);
    reads += rounds;
}

/* Code that is written, run once, and overwritten at other places. */
static void generate(unsigned char *memory, int fd)
{
    for (int i = 0; i < ROUNDS; i++) {
        unsigned char *at = memory + i * 17 % (PAGE - 32);
        memcpy(at, READ_CODE, sizeof READ_CODE);
        read_by(at, fd, 3);
        MUST(memcmp(at, READ_CODE, sizeof READ_CODE) == 0);
        memset(at, 0xcc, sizeof READ_CODE);
    }
}

static void *map_page(int flags, int fd)
{
    void *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, flags, fd, 0);

    MUST(memory != MAP_FAILED);
    return memory;
}

/* What another process would see of the file are the bytes that the program wrote. */
static void generate_in_a_file(int fd)
{
    int file = open("code", O_RDWR | O_CREAT | O_TRUNC, 0700);

    MUST(file >= 0 && ftruncate(file, PAGE) == 0);
    generate(map_page(MAP_SHARED, file), fd);
    close(file);
}

static void copy(int fd)
{
    char *memory = map_page(MAP_PRIVATE | MAP_ANONYMOUS, -1);

    memcpy(memory, own_read, PAGE);
    read_by(memory, fd, ROUNDS);
    read_by(own_read, fd, ROUNDS);
}

static void move(int fd)
{
    char *elsewhere = map_page(MAP_PRIVATE | MAP_ANONYMOUS, -1);

    read_by(own_read, fd, ROUNDS);
    MUST(mremap((char *)(uintptr_t)own_read, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                elsewhere) == elsewhere);
    read_by(elsewhere, fd, ROUNDS);
}

/* Libraries in turn, of which the next one may be mapped where the last one was. */
static void reload(int fd, char *const *libraries)
{
    for (int i = 0; i < ROUNDS; i++) {
        void *library = dlopen(libraries[i % 2], RTLD_NOW);
        MUST(library);
        const void *code = dlsym(library, "library_read");
        MUST(code);
        read_by(code, fd, 5);
        dlclose(library);
    }
}

int main(int argc, char **argv)
{
    const char *mode = argv[1];
    int fd = open("/proc/self/exe", O_RDONLY);

    MUST(argc > 1 && fd >= 0);
    if (!strcmp(mode, "made"))
        generate(map_page(MAP_PRIVATE | MAP_ANONYMOUS, -1), fd);
    else if (!strcmp(mode, "shared"))
        generate_in_a_file(fd);
    else if (!strcmp(mode, "copied"))
        copy(fd);
    else if (!strcmp(mode, "moved"))
        move(fd);
    else
        reload(fd, argv + 2);
    printf("%ld reads, at %ld\n", reads, (long)lseek(fd, 0, SEEK_CUR));
    return 0;
}
