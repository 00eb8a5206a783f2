/*
 * System V semaphores, queues and shared memory, by the calls of x86-64 and by ipc(2) of i386, in a
 * namespace of its own, where their ids begin at 0.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

enum { IPC = 117, WIDE = 0x100, NO_WAIT = 04000, MODE = 0600, CREATE = 01000 };
enum { SEMOP = 1, SEMGET, SEMCTL, SEMTIMEDOP, MSGSND = 11, MSGRCV, MSGGET, MSGCTL };
enum { SHMAT = 21, SHMDT, SHMGET, SHMCTL, VERSION_1 = 1 << 16 };

static char *low; /* memory that a 32-bit address reaches */

static long ipc32(long call, long first, long second, long third, long pointer, long fifth)
{
    long result;
    register long r8 __asm__("r8") = fifth;
    __asm__ volatile("push %%rbp; mov %%r8, %%rbp; int $0x80; pop %%rbp"
                     : "=a"(result), "+r"(r8)
                     : "a"(IPC), "b"(call), "c"(first), "d"(second), "S"(third), "D"(pointer)
                     : "memory", "r9", "r10", "r11");
    return (int)result;
}

static uint32_t at(size_t offset)
{
    return (uint32_t)(uintptr_t)(low + offset);
}

static void put(size_t offset, uint32_t word)
{
    memcpy(low + offset, &word, sizeof word);
}

static void semaphores_32(void)
{
    long id = ipc32(SEMGET, IPC_PRIVATE, 1, CREATE | MODE, 0, 0);

    put(0, 1 << 16); /* number 0, add 1 */
    put(4, NO_WAIT);
    ipc32(SEMOP, id, 1, 0, at(0), 0);
    put(0, 0xffffu << 16); /* take 1 */
    put(64, 1);
    put(68, 5);
    ipc32(SEMTIMEDOP, id, 1, 0, at(0), at(64));
    put(128, 7);
    ipc32(SEMCTL, id, 0, SETVAL | WIDE, at(128), 0);
    put(128, at(256));
    ipc32(SEMCTL, id, 0, IPC_STAT | WIDE, at(128), 0);
    ipc32(SEMCTL, id, 0, IPC_RMID | WIDE, at(128), 0);
}

static void queues_32(void)
{
    long id = ipc32(MSGGET, IPC_PRIVATE, CREATE | MODE, 0, 0, 0);

    put(512, 3);
    strcpy(low + 516, "hello");
    ipc32(MSGSND, id, 5, NO_WAIT, at(512), 0);
    put(600, at(700));
    put(604, 0);
    ipc32(MSGRCV, id, 5, NO_WAIT, at(600), 0);
    ipc32(MSGSND, id, 5, NO_WAIT, at(512), 0);
    ipc32(MSGRCV | VERSION_1, id, 5, NO_WAIT, at(700), 3);
    ipc32(MSGRCV | VERSION_1, id, 5, NO_WAIT, at(700), 3);
    ipc32(MSGCTL, id, IPC_STAT | WIDE, 0, at(900), 0);
    ipc32(MSGCTL, id, IPC_RMID | WIDE, 0, 0, 0);
}

static void memory_32(void)
{
    uint32_t address;
    long id = ipc32(SHMGET, IPC_PRIVATE, 4096, CREATE | MODE, 0, 0);

    ipc32(SHMAT, id, 0, at(1200), 0, 0);
    ipc32(SHMCTL, id, IPC_STAT | WIDE, 0, at(1300), 0);
    memcpy(&address, low + 1200, sizeof address);
    ipc32(SHMDT, 0, 0, 0, address, 0);
    ipc32(SHMCTL, id, IPC_RMID | WIDE, 0, 0, 0);
}

static void all_64(void)
{
    struct shmid_ds memory;
    struct msqid_ds queue;
    struct semid_ds set;
    int shm = shmget(IPC_PRIVATE, 5000, MODE), msg = msgget(IPC_PRIVATE, MODE);
    int sem = semget(IPC_PRIVATE, 2, MODE);

    shmctl(shm, IPC_STAT, &memory);
    memory.shm_perm.mode = 0640;
    shmctl(shm, IPC_SET, &memory);
    shmctl(shm, SHM_STAT, &memory);
    shmctl(shm, IPC_RMID, NULL);
    msgctl(msg, IPC_STAT, &queue);
    msgctl(msg, IPC_SET, &queue);
    msgctl(msg, IPC_RMID, NULL);
    semctl(sem, 0, IPC_STAT, &set);
    semctl(sem, 0, IPC_SET, &set);
    semctl(sem, 1, SETVAL, 3L);
    semctl(sem, 0, IPC_RMID, 0L);
    shmctl(999999, IPC_STAT, &memory);
}

int main(void)
{
    if (unshare(CLONE_NEWIPC) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWIPC) < 0)
        return 1;
    low = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    all_64();
    semaphores_32();
    queues_32();
    memory_32();
    ipc32(99, 1, 0, 0, 0, 0);
    return 0;
}
