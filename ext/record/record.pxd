from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "record/record.h" nogil:
    struct raw_record:
        uint32_t size
        uint16_t kind
        uint16_t syscall
        uint32_t pid
        uint32_t tid
        uint64_t entered_ns
        uint64_t elapsed_ns
        int64_t result
        uint64_t args[6]
        uint64_t fd_serial
        uint32_t copied
        uint32_t transferred

    struct raw_part:
        uint32_t size
        uint16_t kind
        uint16_t flags

    struct raw_stat:
        uint64_t dev
        uint64_t ino
        uint64_t size
        uint64_t rdev
        uint32_t mode
        uint32_t uid
        uint32_t gid
        uint32_t links
        uint64_t born_ns

    struct raw_socket:
        int32_t domain
        int32_t type
        int32_t protocol
        uint32_t listening
        uint64_t inode
        uint64_t peer_inode

    struct raw_tally:
        uint64_t reads
        uint64_t read_bytes
        uint64_t read_ns
        uint64_t writes
        uint64_t write_bytes
        uint64_t write_ns

    struct raw_calls:
        uint32_t syscall
        uint32_t outgoing
        uint64_t calls
        uint64_t bytes
        uint64_t ns

    struct raw_step:
        uint32_t mode
        uint32_t uid
        uint32_t gid
        uint32_t path
        uint64_t attributes

    struct raw_limit:
        uint64_t resource
        uint64_t soft
        uint64_t hard

    struct raw_ids:
        uint32_t ppid, pgid, uid, gid

    struct raw_excess:
        uint64_t place
        uint64_t number
        uint64_t size
        uint64_t limit

    struct raw_space:
        uint64_t files
        uint64_t free_files
