#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static void *work(void *end)
{
    struct timespec moment = { .tv_nsec = 300000000 };

    nanosleep(&moment, NULL);
    write(*(int *)end, "done", 4);
    return NULL;
}

int main(void)
{
    int ends[2];
    pthread_t worker;

    pipe(ends);
    struct pollfd wanted = { .fd = ends[0], .events = POLLIN };
    poll(&wanted, 1, 200); /* 1: wait for data, but at most 200 ms */

    int set = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN, .data.fd = ends[0] };
    epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event);
    pthread_create(&worker, NULL, work, &ends[1]);
    epoll_wait(set, &event, 1, -1); /* 2: wait for data, however long */

    pthread_join(worker, NULL);
    pthread_create(&worker, NULL, work, &ends[1]);
    getppid(); /* a mark */
    pthread_join(worker, NULL); /* 3: wait for the end of a thread */
    return 0;
}
