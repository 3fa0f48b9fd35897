"""In the wheel `native` is `speechmill`: the rooms import it by the name that it has in the source tree.

One module under two names, not two copies: an error raised as the one is caught as the other. Processes that a room starts
find this file on their path and so the same module.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType

_OLD, _NEW = "native", "speechmill"


class _Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """`native.x` is `speechmill.x`, the very same module."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Answers for what lies in `native` and nothing else."""
        if not fullname.startswith(f"{_OLD}."):
            return None
        real = _NEW + fullname.removeprefix(_OLD)
        if importlib.util.find_spec(real) is None:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=real)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """The module of the other name, with what the import machinery is about to overwrite kept for `exec_module`."""
        module = importlib.import_module(str(spec.origin))
        self._kept = (module.__spec__, module.__loader__)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It has run already; it gets back its own description."""
        module.__spec__, module.__loader__ = self._kept


sys.meta_path.insert(0, _Alias())
sys.modules[_OLD] = importlib.import_module(_NEW)
