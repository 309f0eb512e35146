"""A process that cuts bands of a list. It is started by `tessera.bulk.work.workers`, and ends with its standard input.

The processes are programs of their own and not those of `multiprocessing`, which would run the user's script again, and
need ``if __name__ == "__main__":`` in it.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tessera.bulk.plan.stored import StoredBand
from tessera.provenance.signing import sign_with

if TYPE_CHECKING:
    from tessera.bulk.work.order import ListOrder


def main() -> None:
    """Take the order and the key that signs records, then a band at a time.

    Answers are ``("ready", 0)``, ``("target", n)``, ``("band", record)`` and ``("error", exception)``.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all processes of a terminal; the first one ends us
    orders = sys.stdin.buffer
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever else is printed is no answer

        def answer(kind: str, value: Any) -> None:
            pickle.dump((kind, value), answers)
            answers.flush()

        with suppress(EOFError, BrokenPipeError):
            order: ListOrder
            order, key = pickle.load(orders)  # noqa: S301 - it comes from the process that started us
            sign_with(None if key is None else lambda: key)
            answer("ready", 0)
            while True:
                data, known = pickle.load(orders)  # noqa: S301 - as above
                try:
                    answer("band", order.cut(StoredBand.from_bytes(data), known, lambda done: answer("target", done)))
                except BrokenPipeError:
                    raise
                except Exception as error:  # noqa: BLE001 - the first process raises it
                    answer("error", _portable(error))


def _portable(error: Exception) -> Exception:
    """An error that pickle can bring to another process."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - it was made here
    except Exception:  # noqa: BLE001 - errors may have any arguments
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


if __name__ == "__main__":
    main()
