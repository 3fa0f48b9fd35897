"""How a process that imports sound holds its memory: what one utterance frees, the next one uses.

By default glibc and Arrow's own allocator give big blocks back to the system as soon as they are free; asking for
them again costs a page fault for every 4 KB, a third of all CPU time of an import. Nothing here changes results.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache

import pyarrow as pa

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's M_TRIM_THRESHOLD and M_MMAP_THRESHOLD
_KEPT_BYTES = 128 << 20  # a group's files and their samples
_FROM_HEAP_BYTES = 32 << 20  # glibc takes no more


@lru_cache(maxsize=1)
def keep_memory() -> bool:
    """Let this process keep up to 128 MB of what it frees, for Arrow as for everybody else.

    Returns:
        False where the C library is not glibc: everything works there too, only slower.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_TRIM_THRESHOLD, _KEPT_BYTES) and mallopt(_MMAP_THRESHOLD, _FROM_HEAP_BYTES))


def give_back_memory() -> None:
    """Give the system back what was kept: the groups are done, and what comes now is of another kind."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
