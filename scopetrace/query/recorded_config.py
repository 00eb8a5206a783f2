"""The configuration that a session was recorded with, as far as reading needs it."""

from __future__ import annotations

from typing import Any


def config_section(config: str, *path: str) -> dict[str, Any]:
    """Return a mapping in a configuration (YAML); empty if it has none at this path."""
    import yaml

    tree: Any = yaml.load(config, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    for key in path:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree if isinstance(tree, dict) else {}
