"""The configuration as YAML: what `load_config` would read as the same configuration."""

from __future__ import annotations

from typing import Any

import yaml

from scopetrace.config.plain import config_data
from scopetrace.config.schema import Config

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def dump_config(config: Config) -> str:
    """Write the effective configuration as YAML, after a comment that says where it came from.

    It is shown as it stands where all of it may be shown; else all but ASCII is escaped, as YAML
    itself lets a text turn the direction of writing, for instance.
    """
    data = config_data(config)
    text = _dumped(data, readable=True)
    if not text.replace("\n", "").isprintable():
        text = _dumped(data, readable=False)
    origin = str(config.path or "the stock configuration")
    return f"# {''.join(sign if sign.isprintable() else '?' for sign in origin)}\n{text}"


def _dumped(data: dict[str, Any], readable: bool) -> str:
    text: str = yaml.dump(
        data,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=readable,
        default_flow_style=False,
    )
    return text
