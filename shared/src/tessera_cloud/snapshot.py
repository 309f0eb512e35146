"""What SnapStart does to a function: Lambda keeps a picture of its memory, and starts all environments from it.

Importing a handler opens no connection and draws no random number, so a picture holds nothing that must not be shared.
Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
"""

from __future__ import annotations

import random
from importlib import import_module


def preload(*modules: str) -> None:
    """Name what a handler imports at the first request that needs it, so that the picture of its memory contains it.

    Python's own random numbers, which botocore uses to spread its repeats, begin anew in each restored environment.
    Without SnapStart, and where Lambda's runtime is not there, this does nothing.

    Parameters
    ----------
    *modules
        Names of modules.
    """
    try:
        hooks = import_module("snapshot_restore_py")  # part of Lambda's runtime
    except ModuleNotFoundError:
        return
    for module in modules:
        hooks.register_before_snapshot(import_module, module)
    hooks.register_after_restore(random.seed)
