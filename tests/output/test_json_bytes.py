from __future__ import annotations

import json
import os

from scopetrace.output.json_bytes import PIECE_BYTES, json_bytes, json_document


def test_a_byte_that_is_no_utf8_becomes_the_replacement_character():
    name = os.fsdecode(b"caf\xe9")
    value = {name: [name, {"a": (name, 1, True, None)}], "\\udce9": "\\udce9"}

    assert json.loads(json_bytes(value).decode()) == {
        "caf\ufffd": ["caf\ufffd", {"a": ["caf\ufffd", 1, True, None]}],
        "\\udce9": "\\udce9",
    }


def test_a_document_is_one_list_however_many_values_there_are():
    assert b"".join(json_document(b"[", [], b"]")) == b"[\n]"
    values = [{"n": number, "text": "x" * 100} for number in range(2000)]
    pieces = list(json_document(b'{"all":[', iter(values), b"]}"))

    assert json.loads(b"".join(pieces)) == {"all": values}
    assert len(pieces) > 2
    assert all(len(piece) < 2 * PIECE_BYTES for piece in pieces)


def test_a_piece_ends_once_it_has_its_size():
    for size, pieces in ((PIECE_BYTES - 1, 1), (PIECE_BYTES, 2)):
        text = "x" * (size - 2)  # which has quotes around it

        assert len(list(json_document(b"[", [text], b"]"))) == pieces
