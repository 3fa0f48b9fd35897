"""Importing a big library without what a caller does not use of it.

Great Expectations imports statistics, plots, databases and clouds before it looks at the first figure. `lean`
holds that back while a library is imported: optional packages seem not to be installed, the others are loaded
by their first use. It decides nothing about which names may be held back: that is for who knows the library.
"""

from __future__ import annotations

import gc
import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Held:
    """A finder that stands before all others for one thread."""

    def __init__(self, optional: Iterable[str], later: Iterable[str]) -> None:
        self._optional = {name for name in optional if name not in sys.modules}
        self._later = {name for name in later if name not in sys.modules}
        self._thread = threading.get_ident()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if threading.get_ident() != self._thread:
            return None
        if name.partition(".")[0] in self._optional:
            raise ModuleNotFoundError(f"{name} is held back during this import", name=name)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target) if name in self._later else None
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


@contextmanager
def lean(optional: Iterable[str], later: Iterable[str]) -> Iterator[None]:
    """While it is open, imports of this thread leave out what is named; nothing collects garbage meanwhile.

    Args:
        optional: packages which the imported library does without where they are not installed. Afterwards
            they can be imported by anybody else. One that is loaded already stays visible.
        later: modules that are given as they are and loaded when something in them is touched, also afterwards.
    """
    held = _Held(optional, later)
    collects = gc.isenabled()
    sys.meta_path.insert(0, held)
    gc.disable()
    try:
        yield
    finally:
        sys.meta_path.remove(held)
        gc.freeze()  # modules live as long as the process: no collection need look at them again
        if collects:
            gc.enable()
