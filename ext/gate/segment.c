#include "gate/segment.h"

#include <sys/shm.h>

void segment_give(int id, uid_t owner)
{
    struct shmid_ds segment;

    if (shmctl(id, IPC_STAT, &segment) < 0 || segment.shm_perm.uid == owner)
        return;
    segment.shm_perm.uid = owner;
    shmctl(id, IPC_SET, &segment);
}

/* Once it is marked as removed it goes with the last that has it mapped: shmctl(2). */
void *segment_map(size_t size, uid_t owner, int *id_out)
{
    void *memory;

    *id_out = shmget(IPC_PRIVATE, size, IPC_CREAT | SHM_NORESERVE | 0600);
    if (*id_out < 0)
        return NULL;
    memory = shmat(*id_out, NULL, 0);
    segment_give(*id_out, owner);
    shmctl(*id_out, IPC_RMID, NULL);
    return memory == (void *)-1 ? NULL : memory;
}
