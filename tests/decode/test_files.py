from __future__ import annotations

import pytest

from scopetrace.decode.files import open_file
from scopetrace.model.raw import Part
from support.raw_builder import pack_stat


def test_an_open_file_has_the_status_that_the_engine_found():
    parts = {Part.LINK: b"/a", Part.STAT: pack_stat(0o100640, ino=7, uid=3, gid=4, links=2)}

    file = open_file(parts, "", 5)

    assert file.path == "/a"
    assert file.stat is not None
    assert (file.stat.mode, file.stat.ino, file.stat.uid, file.stat.gid) == (0o100640, 7, 3, 4)


@pytest.mark.parametrize(
    ("link", "named"),
    [
        ("/a", True),
        ("/dev/shm/a", True),
        ("/memfd:a (deleted)", False),
        ("pipe:[1]", False),
        ("anon_inode:[eventpoll]", False),
        ("", False),
    ],
)
def test_only_what_has_a_path_is_named(link, named):
    assert open_file({Part.LINK: link.encode()}, "", 1).named is named


@pytest.mark.parametrize(("links", "path"), [(0, "/a"), (1, "/a (deleted)")])
def test_the_name_of_an_inherited_file_is_judged_by_its_links(links, path):
    parts = {Part.LINK: b"/a (deleted)", Part.STAT: pack_stat(links=links)}

    assert open_file(parts, "", 1).path == path
