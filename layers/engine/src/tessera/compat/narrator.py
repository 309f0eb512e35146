"""What `verbose` does in the classes of astrocut's names."""

from __future__ import annotations

import logging
import sys

log = logging.getLogger("tessera")


class Narrator:
    """Tells what is done: always to the logger ``tessera``, and on stderr to a user who asks for it.

    It changes neither levels nor handlers of loggers, since these are the user's. Who has the messages shown by the
    logger does not get them a second time.

    Parameters
    ----------
    module : str
        Name of the module whose work is told, such as ``tessera.compat.tess.cube_factory``.
    verbose : bool
        Whether the user asks for it.
    """

    def __init__(self, module: str, *, verbose: bool) -> None:
        self._module, self._verbose = module.rpartition(".")[2], verbose

    def say(self, message: str, *values: object) -> None:
        """Tell one thing, at DEBUG level; values are put into the message as `logging` does."""
        log.debug(message, *values, stacklevel=2)
        if self._verbose and not _shows_debug(log):
            text = message % values if values else message
            sys.stderr.write(f"DEBUG: {text} [{self._module}]\n")


def _shows_debug(logger: logging.Logger) -> bool:
    """Whether a logger passes messages of DEBUG level to a handler that takes them."""
    if not logger.isEnabledFor(logging.DEBUG):
        return False
    current: logging.Logger | None = logger
    while current is not None:
        handlers = (item for item in current.handlers if not isinstance(item, logging.NullHandler))
        if any(item.level <= logging.DEBUG for item in handlers):
            return True
        current = current.parent if current.propagate else None
    return False
