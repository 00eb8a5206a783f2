"""The configuration as YAML: what `load_config` would read as the same configuration."""

from __future__ import annotations

from typing import Any

import yaml

from scopetrace.config.plain import config_data
from scopetrace.config.schema import Config

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def dump_config(config: Config) -> str:
    """Write the effective configuration as YAML, after a comment that says where it came from."""
    text: str = yaml.dump(
        config_data(config),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
    )
    origin = str(config.path or "the stock configuration")
    return f"# {''.join(sign if sign.isprintable() else '?' for sign in origin)}\n{text}"
