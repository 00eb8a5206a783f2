/* Signals during calls: a restarted call has one event, an interrupted one fails with EINTR. */
#include "expect.h"
#include <poll.h>
#include <sys/time.h>
#include <time.h>

static void do_nothing(int number)
{
    (void)number;
}

static void catch (int flags)
{
    struct sigaction action = { .sa_handler = do_nothing, .sa_flags = flags };
    MUST(sigaction(SIGALRM, &action, NULL) == 0);
}

static void alarm_in(long first_us, long again_us)
{
    struct itimerval timer = { { 0, again_us }, { 0, first_us } };
    MUST(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

/* Another process writes into the FIFO after several alarms. */
static pid_t feeder(void)
{
    pid_t child = fork();
    if (child == 0) {
        int fd = open("fifo", O_WRONLY);
        usleep(150000);
        _exit(write(fd, "late", 4) == 4 ? 0 : 1);
    }
    return child;
}

int main(void)
{
    char text[16];
    struct timespec short_while = { 0, 120000000 }, left = { 0, 0 };

    MUST(mkfifo("fifo", 0644) == 0);
    pid_t child = feeder();
    int fd = open("fifo", O_RDONLY);
    MUST(fd >= 0);

    catch (SA_RESTART);
    alarm_in(20000, 30000);
    ssize_t size = read(fd, text, sizeof text);
    alarm_in(0, 0);
    print_line("restarted read: %zd", size);
    expect("'source': 'fs.close', 'op': 'close', 'file': '%s', 'file_read_bytes': 4, "
           "'file_read_ops': 1",
           here("fifo"));
    close(fd);
    MUST(waitpid(child, NULL, 0) == child);
    expect_close("exit", "fifo", 0, 0, 4, 1); /* the feeder's */

    /* A pipe nobody writes to, without SA_RESTART. */
    int pipes[2];
    MUST(pipe(pipes) == 0);
    catch (0);
    alarm_in(30000, 30000); /* one that comes before the call interrupts nothing */
    size = read(pipes[0], text, sizeof text);
    int error = errno;
    alarm_in(0, 0);
    print_line("interrupted read: %zd, %s", size, strerror(error));

    alarm_in(30000, 30000);
    int result = nanosleep(&short_while, &left);
    error = errno;
    alarm_in(0, 0);
    print_line("interrupted sleep: %d, %s, time left: %d", result, strerror(error),
               left.tv_nsec > 0);

    /* Stopped and continued, nanosleep and poll come back as restart_syscall. */
    pid_t parent = getpid();
    child = fork();
    if (child == 0) {
        usleep(30000);
        kill(parent, SIGSTOP);
        usleep(30000);
        kill(parent, SIGCONT);
        _exit(0);
    }
    struct pollfd wanted = { .fd = pipes[0], .events = POLLIN };
    result = poll(&wanted, 1, 150);
    print_line("poll through a stop: %d", result);
    MUST(waitpid(child, NULL, 0) == child);
    return 0;
}
