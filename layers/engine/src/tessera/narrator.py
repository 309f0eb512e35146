"""Progress messages: the option `verbose` of public classes."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress

from tessera.checks import check_switch

log = logging.getLogger("tessera")


class Narrator:
    """Reports progress: always to the logger ``tessera``, and also on stderr when `verbose` is set.

    It does not change the levels and handlers of loggers, because these belong to the user. A message that the logger
    already prints is not written to stderr a second time.

    Parameters
    ----------
    module : str
        Name of the module that reports, such as ``tessera.compat.tess.cube_factory``.
    verbose : bool
        Whether to write the messages to stderr.
    """

    def __init__(self, module: str, *, verbose: bool) -> None:
        self._module, self._verbose = module.rpartition(".")[2], check_switch("verbose", verbose)

    def say(self, message: str, *values: object) -> None:
        """Report one message at DEBUG level. The values are inserted into the message as `logging` does it."""
        log.debug(message, *values, stacklevel=2)
        if self._verbose and not _shows_debug(log):
            text = message % values if values else message
            _print(f"DEBUG: {text} [{self._module}]\n")


def _print(line: str) -> None:
    """Write to stderr; work goes on where there is none, or nobody reads it any more."""
    if sys.stderr is not None:  # a process without a console has none
        with suppress(OSError, ValueError):  # a closed pipe, a full disk; a closed file
            sys.stderr.write(line)


def _shows_debug(logger: logging.Logger) -> bool:
    """Whether a logger passes messages of DEBUG level to a handler that accepts them."""
    if not logger.isEnabledFor(logging.DEBUG):
        return False
    current: logging.Logger | None = logger
    while current is not None:
        handlers = (item for item in current.handlers if not isinstance(item, logging.NullHandler))
        if any(item.level <= logging.DEBUG for item in handlers):
            return True
        current = current.parent if current.propagate else None
    return False
