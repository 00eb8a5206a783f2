/*
 * Rows of syscalls.def that an ABI lacks, or that this machine's kernel headers are too old to name.
 * Include after the ABI's <asm/unistd_*.h>. Numbers from 424 on are the same everywhere
 * (Linux, scripts/syscall.tbl).
 */
#ifndef __NR_open
#define __NR_open -1
#endif
#ifndef __NR_creat
#define __NR_creat -1
#endif
#ifndef __NR_openat2
#define __NR_openat2 437
#endif
#ifndef __NR_close_range
#define __NR_close_range 436
#endif
#ifndef __NR_pidfd_getfd
#define __NR_pidfd_getfd 438
#endif
#ifndef __NR_faccessat2
#define __NR_faccessat2 439
#endif
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef __NR_clone3
#define __NR_clone3 435
#endif
#ifndef __NR_io_uring_register
#define __NR_io_uring_register 427
#endif
#ifndef __NR_io_uring_setup
#define __NR_io_uring_setup 425
#endif
#ifndef __NR_accept
#define __NR_accept -1
#endif
#ifndef __NR_recvmmsg_time64
#define __NR_recvmmsg_time64 -1
#endif
#ifndef __NR_socketcall
#define __NR_socketcall -1
#endif
#ifndef __NR_dup2
#define __NR_dup2 -1
#endif
#ifndef __NR_fcntl64
#define __NR_fcntl64 -1
#endif
#ifndef __NR_pipe
#define __NR_pipe -1
#endif
#ifndef __NR_eventfd
#define __NR_eventfd -1
#endif
#ifndef __NR_epoll_create
#define __NR_epoll_create -1
#endif
#ifndef __NR_getdents
#define __NR_getdents -1
#endif
#ifndef __NR_sendfile64
#define __NR_sendfile64 -1
#endif
#ifndef __NR_unlink
#define __NR_unlink -1
#endif
#ifndef __NR_rmdir
#define __NR_rmdir -1
#endif
#ifndef __NR_rename
#define __NR_rename -1
#endif
#ifndef __NR_renameat
#define __NR_renameat -1
#endif
#ifndef __NR_link
#define __NR_link -1
#endif
#ifndef __NR_symlink
#define __NR_symlink -1
#endif
#ifndef __NR_mkdir
#define __NR_mkdir -1
#endif
#ifndef __NR_mknod
#define __NR_mknod -1
#endif
#ifndef __NR_truncate64
#define __NR_truncate64 -1
#endif
#ifndef __NR_ftruncate64
#define __NR_ftruncate64 -1
#endif
#ifndef __NR_chmod
#define __NR_chmod -1
#endif
#ifndef __NR_chown
#define __NR_chown -1
#endif
#ifndef __NR_lchown
#define __NR_lchown -1
#endif
#ifndef __NR_chown32
#define __NR_chown32 -1
#endif
#ifndef __NR_lchown32
#define __NR_lchown32 -1
#endif
#ifndef __NR_fchown32
#define __NR_fchown32 -1
#endif
#ifndef __NR_stat
#define __NR_stat -1
#endif
#ifndef __NR_lstat
#define __NR_lstat -1
#endif
#ifndef __NR_stat64
#define __NR_stat64 -1
#endif
#ifndef __NR_lstat64
#define __NR_lstat64 -1
#endif
#ifndef __NR_newfstatat
#define __NR_newfstatat -1
#endif
#ifndef __NR_fstatat64
#define __NR_fstatat64 -1
#endif
#ifndef __NR_access
#define __NR_access -1
#endif
#ifndef __NR_readlink
#define __NR_readlink -1
#endif
#ifndef __NR__llseek
#define __NR__llseek -1
#endif
#ifndef __NR_mmap2
#define __NR_mmap2 -1
#endif
#ifndef __NR_setfsuid32
#define __NR_setfsuid32 -1
#endif
#ifndef __NR_setfsgid32
#define __NR_setfsgid32 -1
#endif
#ifndef __NR_setuid32
#define __NR_setuid32 -1
#endif
#ifndef __NR_setreuid32
#define __NR_setreuid32 -1
#endif
#ifndef __NR_setresuid32
#define __NR_setresuid32 -1
#endif
#ifndef __NR_setgid32
#define __NR_setgid32 -1
#endif
#ifndef __NR_setregid32
#define __NR_setregid32 -1
#endif
#ifndef __NR_setresgid32
#define __NR_setresgid32 -1
#endif
#ifndef __NR_io_uring_enter
#define __NR_io_uring_enter 426
#endif
#ifndef __NR_pidfd_send_signal
#define __NR_pidfd_send_signal 424
#endif
#ifndef __NR_open_tree
#define __NR_open_tree 428
#endif
#ifndef __NR_move_mount
#define __NR_move_mount 429
#endif
#ifndef __NR_fsopen
#define __NR_fsopen 430
#endif
#ifndef __NR_fsconfig
#define __NR_fsconfig 431
#endif
#ifndef __NR_fsmount
#define __NR_fsmount 432
#endif
#ifndef __NR_fspick
#define __NR_fspick 433
#endif
#ifndef __NR_pidfd_open
#define __NR_pidfd_open 434
#endif
#ifndef __NR_mount_setattr
#define __NR_mount_setattr 442
#endif
#ifndef __NR_quotactl_fd
#define __NR_quotactl_fd 443
#endif
#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#endif
#ifndef __NR_landlock_add_rule
#define __NR_landlock_add_rule 445
#endif
#ifndef __NR_landlock_restrict_self
#define __NR_landlock_restrict_self 446
#endif
#ifndef __NR_memfd_secret
#define __NR_memfd_secret 447
#endif
#ifndef __NR_statfs64
#define __NR_statfs64 -1
#endif
#ifndef __NR_utimensat_time64
#define __NR_utimensat_time64 -1
#endif
#ifndef __NR_setgroups32
#define __NR_setgroups32 -1
#endif
#ifndef __NR_nice
#define __NR_nice -1
#endif
#ifndef __NR_umount
#define __NR_umount -1
#endif
#ifndef __NR_clock_settime64
#define __NR_clock_settime64 -1
#endif
#ifndef __NR_stime
#define __NR_stime -1
#endif
#ifndef __NR_kexec_file_load
#define __NR_kexec_file_load -1
#endif
#ifndef __NR_fork
#define __NR_fork -1
#endif
#ifndef __NR_vfork
#define __NR_vfork -1
#endif
#ifndef __NR_utime
#define __NR_utime -1
#endif
#ifndef __NR_utimes
#define __NR_utimes -1
#endif
#ifndef __NR_futimesat
#define __NR_futimesat -1
#endif
#ifndef __NR_signalfd
#define __NR_signalfd -1
#endif
#ifndef __NR_inotify_init
#define __NR_inotify_init -1
#endif
#ifndef __NR_setrlimit
#define __NR_setrlimit -1
#endif
#ifndef __NR_iopl
#define __NR_iopl -1
#endif
#ifndef __NR_ioperm
#define __NR_ioperm -1
#endif

/* The rows that are cases of a call (NAME__CASE). */
#define __NR_fcntl__lock __NR_fcntl
#define __NR_fcntl64__lock __NR_fcntl64
#define __NR_clone__any __NR_clone
#define __NR_clone3__any __NR_clone3
#define __NR_prctl__rights __NR_prctl
#define __NR_prctl__dumpable __NR_prctl
#define __NR_unshare__any __NR_unshare
#define __NR_setns__any __NR_setns
#define __NR_mmap__any __NR_mmap
#define __NR_mmap2__any __NR_mmap2
#define __NR_mmap__large __NR_mmap
#define __NR_mmap2__large __NR_mmap2
#define __NR_mremap__large __NR_mremap
#define __NR_io_submit__read __NR_io_submit
#define __NR_io_submit__write __NR_io_submit
#define __NR_io_submit__readv __NR_io_submit
#define __NR_io_submit__writev __NR_io_submit
#define __NR_io_submit__sync __NR_io_submit
#define __NR_io_uring_enter__read __NR_io_uring_enter
#define __NR_io_uring_enter__write __NR_io_uring_enter
#define __NR_io_uring_enter__readv __NR_io_uring_enter
#define __NR_io_uring_enter__writev __NR_io_uring_enter
#define __NR_io_uring_enter__send __NR_io_uring_enter
#define __NR_io_uring_enter__recv __NR_io_uring_enter
#define __NR_io_uring_enter__sendmsg __NR_io_uring_enter
#define __NR_io_uring_enter__recvmsg __NR_io_uring_enter
#define __NR_io_uring_enter__sync __NR_io_uring_enter
#define __NR_io_uring_enter__openat __NR_io_uring_enter
#define __NR_io_uring_enter__openat2 __NR_io_uring_enter
#define __NR_io_uring_enter__close __NR_io_uring_enter
#define __NR_io_uring_enter__unlinkat __NR_io_uring_enter
#define __NR_io_uring_enter__renameat2 __NR_io_uring_enter
#define __NR_io_uring_enter__linkat __NR_io_uring_enter
#define __NR_io_uring_enter__symlinkat __NR_io_uring_enter
#define __NR_io_uring_enter__mkdirat __NR_io_uring_enter
#define __NR_io_uring_enter__ftruncate __NR_io_uring_enter
#define __NR_io_uring_enter__statx __NR_io_uring_enter
#define __NR_io_uring_enter__pipe2 __NR_io_uring_enter
#define __NR_io_uring_enter__splice __NR_io_uring_enter
#define __NR_io_uring_enter__socket __NR_io_uring_enter
#define __NR_io_uring_enter__bind __NR_io_uring_enter
#define __NR_io_uring_enter__listen __NR_io_uring_enter
#define __NR_io_uring_enter__shutdown __NR_io_uring_enter
#define __NR_io_uring_enter__connect __NR_io_uring_enter
#define __NR_io_uring_enter__accept __NR_io_uring_enter
#define __NR_mmap__ring __NR_mmap
#define __NR_mmap2__ring __NR_mmap2
