"""What a fork does to connections."""

from __future__ import annotations

import os

LOST = "connections do not outlive a fork; start the process with multiprocessing's 'spawn' or 'forkserver'"
"""Why a process cannot read remote files."""


class Connections:
    """Whether this process has connections, and whether its parent had some when it was forked."""

    used = lost = False

    @classmethod
    def forked(cls) -> None:
        """Note in a child that obstore, whose threads stayed in the parent, would never answer."""
        cls.lost = cls.used


os.register_at_fork(after_in_child=Connections.forked)
