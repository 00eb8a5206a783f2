"""Whether the suite is run at length, as CI does once: `make test THOROUGH=1`.

Then every end-to-end test is made as each user (`support.users`), tests of properties try more
examples (conftest.py), and whole files and large amounts are read that a usual run samples.
"""

from __future__ import annotations

import os

THOROUGH = os.environ.get("THOROUGH") == "1"
