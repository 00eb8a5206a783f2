"""What the evidence in records becomes: one kind for each error."""

from __future__ import annotations

import errno
import stat
import struct

import pytest

from scopetrace.decode import evidence as evidence_module
from scopetrace.decode import holders
from scopetrace.model.evidence import Evidence
from scopetrace.model.operation import Failed, FlowFailed, ProcessFailed
from scopetrace.model.raw import LIMIT, PART_REMOVED, RESULT_REFUSED, SPACE, STEP, Part
from support.raw_builder import pack_inet, pack_socket, pack_unix, status_text

STATUS = b"Uid:\t9\t9\t9\t1000\nGid:\t9\t9\t9\t1001\nGroups:\t4\nCapEff:\t0\n"
FOREVER = 2**64 - 1


def pack_step(name: str, mode: int, uid: int = 0, gid: int = 4, path: int = 1) -> bytes:
    return STEP.pack(mode, uid, gid, path, 0) + name.encode()


def pack_limit(resource: int, soft: int) -> tuple[int, bytes]:
    return Part.LIMIT, LIMIT.pack(resource, soft, FOREVER)


def folder(name: str, mode: int = 0o755, **more: int) -> tuple[int, bytes]:
    return Part.STEP, pack_step(name, stat.S_IFDIR | mode, **more)


def file(name: str, mode: int = 0o640, **more: int) -> tuple[int, bytes]:
    return Part.STEP, pack_step(name, stat.S_IFREG | mode, **more)


@pytest.fixture
def evidence(tracee, decoding):
    """Fail with these parts; return the evidence of the operation."""

    def go(row, *args, error, parts=(), kind=Failed):
        tracee.call(row, *args, result=-error, parts=[(int(k), content) for k, content in parts])
        return decoding.one(kind).evidence

    return go


def test_what_is_missing_and_where_a_link_leads(evidence):
    parts = [(Part.PATH, b"/a/b/c"), (Part.MISSING, b"/a"), (Part.TARGET, b"../x")]
    found = evidence("openat", -100, error=errno.ENOENT, parts=parts)

    assert found == Evidence(missing_folder="/a", link_target="../x")


def test_a_file_that_only_is_not_there_needs_no_evidence(evidence):
    assert evidence("openat", -100, error=errno.ENOENT, parts=[(Part.PATH, b"/a")]) is None


@pytest.mark.parametrize(
    ("error", "reached", "detail"),
    [
        (errno.ENOENT, True, "the source is not there"),
        (errno.ENOENT, False, "the target is not there"),
        (errno.ENOTDIR, True, "the target is a folder, and the source none"),
        (errno.ENOTDIR, False, None),
    ],
)
def test_which_of_the_two_names_of_a_mount_is_wrong(evidence, error, reached, detail):
    steps = [folder("/", path=2), folder("/a", path=2)][: 1 + reached]
    parts = [(Part.PATH, b"s"), (Part.PATH2, b"/a/"), *steps]
    found = evidence("mount", 0, 0, 0, 0x1000, error=error, parts=parts, kind=ProcessFailed)

    assert (found and found.detail) == detail


@pytest.mark.parametrize(
    ("steps", "detail"),
    [
        ([folder("/"), folder("/a"), folder("/a/b")], "it is a folder"),
        ([folder("/"), folder("/a")], None),
        ([folder("/"), folder("/a"), file("/a/b")], None),
    ],
)
def test_a_folder_is_no_program_and_those_on_the_way_are_no_reason(evidence, steps, detail):
    parts = [(Part.PATH, b"/a/b"), *steps]
    found = evidence("execve", error=errno.EACCES, parts=parts)

    assert (found and found.detail) == detail


@pytest.mark.parametrize(("error", "needs"), [(errno.EACCES, "write"), (errno.EPERM, "owner")])
def test_times_are_set_by_who_owns_or_may_write(evidence, error, needs):
    parts = [(Part.PATH, b"/f"), folder("/"), file("/f"), (Part.STATUS, STATUS)]

    assert evidence("utimensat", -100, error=error, parts=parts).needs == needs


def test_an_interpreter_that_is_missing(evidence):
    parts = [(Part.PATH, b"/s"), (Part.HEAD, b"#!/no/such\n")]

    assert evidence("execve", error=errno.ENOENT, parts=parts) == Evidence(interpreter="/no/such")


def test_a_program_for_another_machine(evidence):
    parts = [(Part.PATH, b"/s"), (Part.HEAD, b"\x7fELF\x02\x01" + bytes(12) + b"\xb7\0")]

    assert evidence("execve", error=errno.ENOEXEC, parts=parts) == Evidence(machine="AArch64")


def test_a_file_that_may_not_be_written(evidence):
    way = [folder("/"), folder("/log"), file("/log/x"), (Part.STATUS, STATUS)]
    parts = [(Part.PATH, b"/log/x"), (Part.NAME, b"/log/x"), *way]
    found = evidence("openat", -100, 0, 1, error=errno.EACCES, parts=parts)

    assert found is not None
    assert found.fields() == {
        "refused_by": "/log/x", "refused_uid": 0, "refused_user": "root", "refused_gid": 4,
        "refused_group": "adm", "refused_mode": 640, "needs": "write", "asked_uid": 1000,
        "asked_gid": 1001,
    }  # fmt: skip


def test_what_an_fd_of_the_process_itself_leads_to_may_not_be_opened(evidence, tracee):
    end = (Part.STEP, pack_step("pipe:[5]", stat.S_IFIFO | 0o600))
    for pid, by, needs, obstacle in (
        (tracee.pid, "pipe:[5]", "write", None),
        (1, "/proc/1/fd/1", None, "not_traceable"),
    ):
        link = f"/proc/{pid}/fd/1".encode()
        parts = [(Part.PATH, link), (Part.NAME, link), folder("/proc"), end, (Part.STATUS, STATUS)]
        found = evidence("openat", -100, 0, 1, error=errno.EACCES, parts=parts)

        assert (found.refused_by, found.needs, found.obstacle) == (by, needs, obstacle)


def test_access_is_asked_by_the_real_user(evidence):
    parts = [(Part.PATH, b"/x"), folder("/"), file("/x", 0o600), (Part.STATUS, STATUS)]
    found = evidence("faccessat", -100, 0, 4, error=errno.EACCES, parts=parts)

    assert (found.needs, found.asked_uid) == ("read", 9)


@pytest.mark.parametrize(("flags", "uid"), [(0, 9), (0x100, 9), (0x200, 1000)])
def test_access_may_be_asked_by_the_effective_user(flags, uid, evidence):
    parts = [(Part.PATH, b"/x"), folder("/"), file("/x", 0o600), (Part.STATUS, STATUS)]
    found = evidence("faccessat2", -100, 0, 4, flags, error=errno.EACCES, parts=parts)

    assert (found.needs, found.asked_uid) == ("read", uid)


def test_the_second_path_may_be_what_refuses(evidence):
    way = [
        folder("/d", 0o777), file("/d/a", path=1),
        folder("/e", path=2), (Part.STATUS, STATUS),
    ]  # fmt: skip
    paths = [(Part.PATH, b"/d/a"), (Part.PATH2, b"/e/b")]
    found = evidence("rename", error=errno.EACCES, parts=[*paths, *way])

    assert (found.refused_by, found.needs) == ("/e", "write")


def test_a_refusal_without_a_status_says_nothing(evidence):
    parts = [(Part.PATH, b"/x"), folder("/", 0)]

    assert evidence("openat", -100, error=errno.EACCES, parts=parts) is None


def test_a_name_on_the_way_that_is_no_folder(evidence):
    parts = [(Part.PATH, b"/f/x"), folder("/"), file("/f")]
    found = evidence("openat", -100, error=errno.ENOTDIR, parts=parts)

    assert found == Evidence(refused_by="/f", obstacle="no_folder")


def link(name: str, target: str, **more: int) -> list[tuple[int, bytes]]:
    """A link as the engine reports it of a call that failed with ELOOP."""
    step = pack_step(name, stat.S_IFLNK | 0o777, **more)
    return [(Part.STEP, step), (Part.TARGET, target.encode())]


def how(resolve: int) -> tuple[int, bytes]:
    return Part.HOW, struct.pack("=QQQ", 0, 0, resolve)


NO_FOLLOWING = (Part.MOUNTS, b"1 2 0:1 / / rw,nosymfollow - ext4 a rw\n")


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        (link("/l", "x"), Evidence(refused_by="/l", obstacle="link")),
        (
            [*link("/m", "a"), *(link("/a", "b") + link("/b", "a")) * 20],
            Evidence(detail="/a is a link to b, which leads back to it"),
        ),
        (link("/a", "a") * 41, Evidence(detail="/a is a link to itself")),
        (
            [part for number in range(41) for part in link(f"/{number}", "x")],
            Evidence(detail="more than 40 links are on the way, from /0 to /40"),
        ),
        (link("/a", "a", path=2) * 41, Evidence(detail="/a is a link to itself")),
        (
            [how(4), *link("/l", "x"), *link("/m", "y")],
            Evidence(detail="/l is a symbolic link, and RESOLVE_NO_SYMLINKS allows none"),
        ),
        (
            [how(2), *link("/l", "x"), *link("/proc/9/cwd", "/"), folder("/")],
            Evidence(
                detail="/proc/9/cwd is a link of the kernel's own,"
                " and RESOLVE_NO_MAGICLINKS allows none"
            ),
        ),
        (
            [*link("/l", "x"), file("/x"), NO_FOLLOWING],
            Evidence(detail="/l is a symbolic link, and / is mounted nosymfollow"),
        ),
        ([*link("/l", "x"), file("/x")], None),
        (link("/a", "a")[:1] * 41, None),
    ],
)
def test_which_link_is_not_followed(parts, found, evidence):
    row = "openat2" if parts[0][0] == Part.HOW else "openat"

    assert evidence(row, -100, error=errno.ELOOP, parts=[(Part.PATH, b"/l"), *parts]) == found


@pytest.mark.parametrize(
    ("flags", "detail"),
    [(0, None), (PART_REMOVED, "the folder where the path starts has been removed: /d")],
)
def test_the_folder_where_a_path_starts_was_removed(flags, detail, tracee, decoding):
    parts = [(Part.PATH, b"x"), (Part.MISSING, b"/d", flags)]
    tracee.call("openat", -100, result=-errno.ENOENT, parts=parts)

    assert decoding.one(Failed).evidence == Evidence(missing_folder="/d", detail=detail)


@pytest.mark.parametrize(
    ("flags", "missing", "target", "detail"),
    [
        (0o100, None, "no/x", "/w/l is a link to no/x, and there is no folder /w/no"),
        (0o100, "/m", "/no/x", "/m is a link to /no/x, and there is no folder /no"),
        (0, None, "no/x", None),
        (0o100, "/w", "no", None),
        (0o100, None, "/proc/x", None),
    ],
)
def test_a_file_is_not_made_where_a_link_leads_to_no_folder(
    flags, missing, target, detail, evidence
):
    parts = [(Part.PATH, b"/w/l"), (Part.NAME, b"/w/l"), (Part.TARGET, target.encode())]
    parts += [(Part.MISSING, missing.encode())] if missing else []
    found = evidence("openat", -100, 0, flags, error=errno.ENOENT, parts=parts)

    assert found == Evidence(missing_folder=missing, link_target=target, detail=detail)


@pytest.mark.parametrize(
    ("row", "error", "limits", "found"),
    [
        ("pipe2", errno.EMFILE, [(7, 20)], ("RLIMIT_NOFILE", 20)),
        ("fork", errno.EAGAIN, [(6, 5)], ("RLIMIT_NPROC", 5)),
        ("fork", errno.EAGAIN, [], None),
        ("mmap__any", errno.ENOMEM, [(9, FOREVER), (2, 4096)], ("RLIMIT_DATA", 4096)),
        ("mmap__any", errno.ENOMEM, [(9, 100), (2, 4096)], ("RLIMIT_AS", 100)),
        ("mlock", errno.ENOMEM, [(9, FOREVER), (8, 64)], ("RLIMIT_MEMLOCK", 64)),
        ("shmat", errno.ENOMEM, [(8, 64)], None),
    ],
)
def test_the_limit_that_was_reached(row, error, limits, found, evidence):
    parts = [pack_limit(*each) for each in limits]
    seen = evidence(row, 4096, 65, error=error, parts=parts, kind=ProcessFailed)

    assert (seen and (seen.limit_name, seen.limit_value)) == found


def test_memory_that_may_be_locked_is_not_over_the_limit(evidence):
    parts = [pack_limit(8, 64)]

    assert evidence("mlock", 4096, 64, error=errno.ENOMEM, parts=parts, kind=ProcessFailed) is None


@pytest.mark.parametrize(
    ("status", "length", "found"),
    [
        (b"VmLck:\t60 kB\n", 4096, Evidence(detail=evidence_module.UNUSABLE)),
        (b"VmLck:\t64 kB\n", 1, Evidence(limit_name="RLIMIT_MEMLOCK", limit_value=65536)),
        (
            b"VmLck:\t64 kB\n" + STATUS.replace(b"CapEff:\t0", b"CapEff:\t4000"),
            4096,
            Evidence(detail=evidence_module.UNUSABLE),
        ),
    ],
)
def test_what_is_locked_already_counts_unless_no_limit_does(status, length, found, evidence):
    parts = [pack_limit(9, 4096), pack_limit(8, 65536), (Part.STATUS, status)]
    args = (8192, length)

    assert evidence("mlock", *args, error=errno.ENOMEM, parts=parts, kind=ProcessFailed) == found


def test_what_keeps_a_file_system_mounted(evidence):
    mounts = b"1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 / /m rw - tmpfs a rw\n"
    holder = (Part.HOLDER, struct.pack("=i", 77) + b"sh\0-c\0")
    parts = [(Part.PATH, b"m"), (Part.NAME, b"/m"), holder]

    def found(table: bytes) -> Evidence:
        more = [*parts, (Part.MOUNTS, table)]
        return evidence("umount2", error=errno.EBUSY, parts=more, kind=ProcessFailed)

    assert found(mounts) == Evidence(holder_pid=77, holder_cmd="sh -c")
    inside = found(mounts + b"3 2 0:3 / /m/n rw - tmpfs a rw\n")
    assert inside == Evidence(detail="/m/n is mounted inside of it")


@pytest.mark.parametrize(
    ("row", "soft", "found"),
    [
        ("ftruncate", FOREVER, Evidence(detail=evidence_module.NO_FILE_SO_LARGE)),
        ("ftruncate", 9, Evidence(limit_name="RLIMIT_FSIZE", limit_value=9)),
        ("write", FOREVER, None),
    ],
)
def test_a_file_would_be_too_large(row, soft, found, evidence):
    assert evidence(row, 9, error=errno.EFBIG, parts=[pack_limit(1, soft)]) == found


def test_a_capability_that_is_lacking(evidence):
    seen = evidence("setuid", error=errno.EPERM, parts=[(Part.STATUS, STATUS)], kind=ProcessFailed)

    assert (seen.needs, seen.asked_uid) == ("CAP_SETUID", 1000)
    able = STATUS.replace(b"CapEff:\t0", b"CapEff:\t80")
    seen = evidence("setuid", error=errno.EPERM, parts=[(Part.STATUS, able)], kind=ProcessFailed)
    assert (seen.needs, seen.asked_uid) == (None, 1000)


def test_a_limit_on_locked_memory_is_whose_it_is(evidence):
    parts = [(Part.STATUS, STATUS), pack_limit(8, 0)]
    seen = evidence("mlock", 4096, 1, error=errno.EPERM, parts=parts, kind=ProcessFailed)

    assert seen == Evidence(
        limit_name="RLIMIT_MEMLOCK", limit_value=0, asked_uid=1000, asked_gid=1001
    )


@pytest.mark.parametrize(("soft", "name"), [(3, "RLIMIT_NOFILE"), (4, None)])
def test_inotify_has_a_limit_of_its_own_unless_the_process_has_all_its_fds(soft, name, evidence):
    own = "max_user_instances"
    seen = evidence(
        "inotify_init1", error=errno.EMFILE, parts=[pack_limit(7, soft)], kind=ProcessFailed
    )

    value = int((evidence_module.SYSCTL_INOTIFY / own).read_text())
    expected = (name, soft) if name else (f"fs.inotify.{own}", value)
    assert (seen.limit_name, seen.limit_value) == expected


@pytest.mark.parametrize(
    ("uid", "most", "limit"),
    [(1000, None, ("RLIMIT_NPROC", 5)), (0, None, None), (0, 30, ("pids.max", 30))],
)
def test_root_has_no_limit_on_processes_but_its_control_group_has(
    uid, most, limit, evidence, tracee, monkeypatch
):
    monkeypatch.setattr(evidence_module, "reached_pids_max", lambda pid: most)
    tracee.exec("/bin/next", parts={Part.STATUS: status_text(uid)})
    seen = evidence("fork", error=errno.EAGAIN, parts=[pack_limit(6, 5)], kind=ProcessFailed)

    assert (seen and (seen.limit_name, seen.limit_value)) == limit


def test_a_file_system_that_is_full(evidence):
    parts = [(Part.PATH, b"/m/x"), (Part.MOUNTS, b"1 2 0:1 / /m rw - tmpfs tmpfs rw\n")]

    assert evidence("openat", -100, error=errno.ENOSPC, parts=parts) == Evidence(mount_point="/m")
    assert evidence("openat", -100, error=errno.ENOSPC, parts=parts[:1]) is None


@pytest.mark.parametrize(
    ("files", "free", "obstacle"), [(9, 0, "no_inodes"), (9, 1, None), (0, 0, None)]
)
def test_a_file_system_that_has_no_more_files(files, free, obstacle, evidence):
    mounts = (Part.MOUNTS, b"1 2 0:1 / /m rw - tmpfs tmpfs rw\n")
    parts = [(Part.PATH, b"/m/x"), mounts, (Part.SPACE, SPACE.pack(files, free))]
    found = evidence("openat", -100, error=errno.ENOSPC, parts=parts)

    assert found == Evidence(mount_point="/m", obstacle=obstacle)


def test_a_device_that_is_full_is_so_by_itself(evidence):
    parts = [(Part.PATH, b"/dev/full"), (Part.MOUNTS, b"1 2 0:1 / /dev rw - tmpfs tmpfs rw\n")]

    assert evidence("openat", -100, error=errno.ENOSPC, parts=parts) is None


MOUNTED = (Part.MOUNTS, b"1 2 0:1 / / rw - ext4 a rw\n1 2 0:1 / /m rw - tmpfs tmpfs rw\n")


@pytest.mark.parametrize(
    ("row", "kind", "paths", "point"),
    [
        ("rmdir", Failed, ("/m",), "/m"),
        ("rmdir", Failed, ("/m/x",), None),
        ("rename", Failed, ("/x", "/m"), "/m"),
        ("umount2", ProcessFailed, ("/m",), None),
    ],
)
def test_where_something_is_mounted_a_name_is_busy(row, kind, paths, point, evidence):
    names = zip((Part.PATH, Part.PATH2), map(str.encode, paths), strict=False)
    found = evidence(row, error=errno.EBUSY, parts=[*names, MOUNTED], kind=kind)

    assert found == (Evidence(mount_point=point, obstacle="mounted") if point else None)


@pytest.mark.parametrize(
    ("options", "mode", "obstacle"),
    [
        (b"rw,nodev", stat.S_IFCHR, "nodev"),
        (b"rw,nodev", stat.S_IFBLK, "nodev"),
        (b"rw,nodev", stat.S_IFREG, None),
        (b"rw", stat.S_IFCHR, None),
    ],
)
def test_a_device_on_a_file_system_without_devices(options, mode, obstacle, evidence):
    mounts = (Part.MOUNTS, b"1 2 0:1 / /m " + options + b" - tmpfs tmpfs rw\n")
    device = (Part.STEP, pack_step("/m/x", mode | 0o666))
    way = [folder("/"), folder("/m"), device, (Part.STATUS, STATUS)]
    found = evidence("openat", -100, error=errno.EACCES, parts=[(Part.PATH, b"/m/x"), *way, mounts])

    assert (found.obstacle, found.mount_point) == (obstacle, obstacle and "/m")


def test_a_file_system_that_may_be_written_is_not_called_read_only(evidence):
    path = (Part.PATH, b"/m/x")
    for options, found in ((b"rw", None), (b"ro", Evidence(mount_point="/m"))):
        mounts = (Part.MOUNTS, b"1 2 0:1 / /m rw - tmpfs tmpfs " + options + b"\n")

        assert evidence("openat", -100, error=errno.EROFS, parts=[path, mounts]) == found


def test_a_program_on_a_file_system_without_programs(evidence):
    mounts = (Part.MOUNTS, b"1 2 0:1 / /m rw,noexec - tmpfs tmpfs rw\n")
    way = [folder("/"), folder("/m"), file("/m/x", 0o755), (Part.STATUS, STATUS)]
    found = evidence("execve", error=errno.EACCES, parts=[(Part.PATH, b"/m/x"), *way, mounts])

    assert (found.obstacle, found.mount_point, found.refused_by) == ("noexec", "/m", None)


def test_a_call_that_a_filter_refused_has_none(tracee, decoding):
    tracee.call("openat", -100, result=RESULT_REFUSED, parts={Part.PATH: b"/x"})

    assert decoding.one(Failed).evidence is None


@pytest.mark.parametrize(
    ("op", "port", "needs"),
    [
        ("bind", 1, "CAP_NET_BIND_SERVICE"),
        ("bind", 1023, "CAP_NET_BIND_SERVICE"),
        ("bind", 1024, None),
        ("bind", 0, None),
        ("connect", 81, None),
    ],
)
def test_a_privileged_port(op, port, needs, tracee, decoding):
    tracee.socket(5)
    parts = {Part.SOCKET: pack_socket(), Part.ADDRESS: pack_inet(port=port), Part.STATUS: STATUS}
    tracee.fail(op, 5, error=errno.EACCES, parts=parts)

    found = decoding.one(FlowFailed).evidence
    assert (found.needs, found.asked_uid) == (needs, 1000)


@pytest.mark.parametrize(
    ("address", "table", "obstacle"),
    [
        (pack_inet(port=8080), "06", "time_wait"),
        (pack_inet(port=8080), "01", None),
        (pack_inet(port=0), "06", None),
        (pack_unix(b"/r/s\0"), "06", "left_there"),
        (pack_unix(b"\0name"), "06", None),
    ],
)
def test_an_address_that_is_in_use_though_nobody_waits_there(
    address, table, obstacle, tracee, decoding, tmp_path, monkeypatch
):
    monkeypatch.setattr(holders, "PROC", tmp_path)
    (tmp_path / "net").mkdir()
    line = f"0: 0:{{:04X}} 0:0 {table} 0 0 0 0 0 0 1\n"
    (tmp_path / "net" / "tcp").write_text(line.format(8080) + line.format(0))
    tracee.socket(5)
    parts = {Part.SOCKET: pack_socket(), Part.ADDRESS: address}
    tracee.fail("bind", 5, error=errno.EADDRINUSE, parts=parts)

    found = decoding.one(FlowFailed).evidence
    assert found == (Evidence(obstacle=obstacle) if obstacle else None)


def test_a_socket_whose_folder_is_missing(tracee, decoding):
    tracee.socket(5, domain=1)
    parts = {Part.ADDRESS: pack_unix(b"/r/s\0"), Part.NAME: b"/r/s", Part.MISSING: b"/r"}
    tracee.fail("connect", 5, error=errno.ENOENT, parts=parts)

    assert decoding.one(FlowFailed).evidence == Evidence(missing_folder="/r")


def test_an_event_has_the_evidence_as_fields(recording, tracee):
    parts = {Part.PATH: b"/a/b", Part.MISSING: b"/a"}
    tracee.fail("openat", -100, error=errno.ENOENT, parts=parts)

    assert recording.data("fs.error") == {
        "op": "openat", "file": "/a/b", "error": "ENOENT", "class": "open_close",
        "missing_folder": "/a",
    }  # fmt: skip
