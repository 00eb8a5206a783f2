#include "ptrace/tracee.h"

#include <stdlib.h>

static unsigned bucket_of(pid_t tid)
{
    return (unsigned)tid % TASK_BUCKETS;
}

struct task *tasks_find(const struct tasks *tasks, pid_t tid)
{
    struct task *task = tasks->buckets[bucket_of(tid)];

    while (task && task->caller.tid != tid)
        task = task->next;
    return task;
}

struct task *tasks_add(struct tasks *tasks, pid_t tid, pid_t tgid)
{
    struct task *task = calloc(1, sizeof *task);

    if (!task)
        return NULL;
    task->caller.tid = tid;
    task->caller.tgid = tgid;
    task->last_number = -1;
    task->clone3_flags = -1;
    task->closed = -1;
    task->next = tasks->buckets[bucket_of(tid)];
    tasks->buckets[bucket_of(tid)] = task;
    task->older = tasks->newest;
    if (task->older)
        task->older->newer = task;
    tasks->newest = task;
    tasks->count++;
    return task;
}

void tasks_remove(struct tasks *tasks, struct task *task)
{
    struct task **link = &tasks->buckets[bucket_of(task->caller.tid)];

    while (*link != task)
        link = &(*link)->next;
    *link = task->next;
    if (task->older)
        task->older->newer = task->newer;
    *(task->newer ? &task->newer->older : &tasks->newest) = task->older;
    tasks->count--;
    parts_deinit(&task->call.parts);
    for (int i = 0; i < task->suspended_count; i++)
        parts_deinit(&task->suspended[i].call.parts);
    free(task->init_fault);
    free(task->bursts);
    free(task->exit);
    free(task);
}

struct task *tasks_next(const struct tasks *tasks, const struct task *task)
{
    return task ? task->older : tasks->newest;
}

pid_t tasks_after(const struct tasks *tasks, pid_t tid)
{
    const struct task *task = tasks_find(tasks, tid);

    if (task && task->next)
        return task->next->caller.tid;
    for (unsigned step = 1; step <= TASK_BUCKETS; step++) {
        task = tasks->buckets[bucket_of(tid + (pid_t)step)];
        if (task)
            return task->caller.tid;
    }
    return 0;
}
