"""Names that are similar to an unknown one."""

from __future__ import annotations

from scopetrace.model.nearest import did_you_mean, nearest


def test_the_nearest_names_come_first() -> None:
    assert nearest("fs.opne", ("fs.open", "fs.close", "net.open")) == ["fs.open", "fs.close"]
    assert nearest("fs.opne", ("fs.open", "net.open"), 1) == ["fs.open"]


def test_names_that_have_the_word_in_them_come_first() -> None:
    names = ("piece", "http_status_code", "net_peer_port", "net_peer_ip")

    assert nearest("status", names) == ["http_status_code"]
    assert nearest("peer", names) == ["net_peer_ip", "net_peer_port", "piece"]
    assert nearest("et", names) == []


def test_names_with_a_part_that_is_similar_come_last() -> None:
    names = ("net_bytes_recv", "id", "channel", "net_bytes_sent")

    assert nearest("byts", names) == ["net_bytes_recv", "net_bytes_sent"]
    assert nearest("chanel", names) == ["channel"]


def test_the_end_of_a_sentence_proposes_them_or_is_empty() -> None:
    assert did_you_mean("pdi", ("pid", "tid")) == "; did you mean pid?"
    assert did_you_mean("zzz", ("pid", "tid")) == ""
