from __future__ import annotations

import msgspec

from scopetrace.config import load_config, pack_config, unpack_config

CUSTOM = """
tags: {team: blue}
custom:
  quiet:
    filter: {procname: nginx, env: A=b}
    config: {event: {enable: false}}
"""


def test_a_configuration_arrives_as_it_was_sent(tmp_path):
    path = tmp_path / "scope.yml"
    path.write_text(CUSTOM)
    config = load_config(path, {})

    assert unpack_config(pack_config(config)) == msgspec.structs.replace(
        config, path=None, warnings=()
    )
