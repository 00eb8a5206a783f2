"""JSON as the two ways of writing it leave it in a session: UTF-8, or escaped."""

from __future__ import annotations

import json
from typing import Any


def compact(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def escaped(value: Any) -> bytes:
    return json.dumps(value).encode()
