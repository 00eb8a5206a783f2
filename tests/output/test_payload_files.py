from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.model.flow import Address
from scopetrace.output.payload_files import payload_file_name, payload_files
from support.flow_builder import flow, piece
from support.session_builder import STARTED_NS

SIX = Address("inet6", "2001:db8::1", 443)


@pytest.mark.parametrize(
    ("changes", "outgoing", "name"),
    [
        ({}, True, "70_93.184.216.34:80_10.0.0.2:40000.out"),
        ({}, False, "70_93.184.216.34:80_10.0.0.2:40000.in"),
        ({"peer": SIX}, True, "70_2001:db8::1:443_10.0.0.2:40000.out"),
        (
            {"peer": Address("unix", "/a/b", 0, 7), "local": Address("unix", "", 0, 8)},
            False,
            "70_af_unix:7_af_unix:8.in",
        ),
        ({"peer": None, "local": None}, True, "70_nettx:0_nettx:0.out"),
        ({"local": None}, False, "70_93.184.216.34:80_netrx:0.in"),
    ],
)
def test_a_file_is_named_as_appscope_names_it(changes, outgoing, name):
    assert payload_file_name(70, flow(**changes), outgoing) == name


def test_each_piece_goes_to_the_file_of_the_process_that_moved_it():
    again = flow(channel=STARTED_NS + 10**9)
    payload = [
        piece(b"a"),
        piece(b"b", outgoing=False),
        piece(b"c", process=2),
        piece(b"d", of=1),
        piece(b"e", of=7),
        piece(b"f", process=9),
    ]

    assert list(payload_files(payload, [flow(), again], {1: 70, 2: 71})) == [
        ("70_93.184.216.34:80_10.0.0.2:40000.out", b"a"),
        ("70_93.184.216.34:80_10.0.0.2:40000.in", b"b"),
        ("71_93.184.216.34:80_10.0.0.2:40000.out", b"c"),
        ("70_93.184.216.34:80_10.0.0.2:40000.out", b"d"),
        ("70_nettx:0_nettx:0.out", b"e"),
        ("0_93.184.216.34:80_10.0.0.2:40000.out", b"f"),
    ]


@given(st.text(st.characters(exclude_categories=()), max_size=20))
def test_no_address_leaves_the_folder(host):
    name = payload_file_name(1, flow(peer=Address("", host, 1)), True)

    assert not set("/\0") & set(name)
    assert name.isascii()
