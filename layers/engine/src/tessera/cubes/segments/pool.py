"""Threads that read the segments of growing cubes."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache

SEGMENT_REQUESTS = 352
"""Largest number of simultaneous range requests to segments: eleven rows of a cutout from 32 segments. A request to S3
waits 30 ms for its first byte, so that small cutouts are read in the time of one request. Larger ones have more bytes
than the network brings in that time. A thread that waits takes some 0.1 MB."""


@cache
def segment_pool() -> ThreadPoolExecutor:
    """Threads that read segments. They are not those that read rows, which wait for them."""
    return ThreadPoolExecutor(SEGMENT_REQUESTS, "tessera-segments")


os.register_at_fork(after_in_child=segment_pool.cache_clear)  # threads stay in the parent
