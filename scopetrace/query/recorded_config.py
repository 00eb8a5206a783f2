"""The configuration that a session was recorded with, as far as reading needs it."""

from __future__ import annotations

import json
from typing import Any


def config_section(config: str, *path: str) -> dict[str, Any]:
    """Return a mapping in a configuration; empty if it has none at this path."""
    tree = _read(config)
    for key in path:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree if isinstance(tree, dict) else {}


def _read(config: str) -> Any:
    """Return a configuration as data: JSON below a comment, or YAML of an earlier version."""
    comment, _, text = config.partition("\n")
    try:
        return json.loads(text if comment.startswith("#") else config)
    except RecursionError:
        return None  # a damaged session
    except ValueError:
        import yaml

        return yaml.load(config, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
