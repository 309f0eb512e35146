"""Writing ASDF files with and without checking them against their schemas."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_unchecked: ContextVar[bool] = ContextVar("tessera_unchecked", default=False)
_lock = threading.Lock()


def spectrum_bytes(tree: Mapping[str, Any], *, validate: bool = True) -> bytes:
    """An ASDF file as bytes.

    Parameters
    ----------
    tree : mapping
        What it holds.
    validate : bool, optional
        Check it against its schemas, which takes most of the time.
    """
    import asdf  # noqa: PLC0415 - only files of this kind need it

    content = io.BytesIO()
    if validate:
        asdf.AsdfFile(tree).write_to(content)
    else:
        with _without_checks():
            asdf.AsdfFile(tree).write_to(content)
    return content.getvalue()


@contextmanager
def _without_checks() -> Iterator[None]:
    """What this thread writes is not checked; files of other threads are checked as ever.

    asdf (6.0) has no switch for it: `validate_on_read` of its configuration is for reading, and ``yamlutil.dump_tree``
    calls ``schema.validate`` for every tree that is written.
    """
    from asdf import schema  # noqa: PLC0415 - see spectrum_bytes

    with _lock:
        original = schema.validate

        def validate(*arguments: Any, **options: Any) -> None:
            if not _unchecked.get():
                original(*arguments, **options)

        token = _unchecked.set(True)
        schema.validate = validate
        try:
            yield
        finally:
            schema.validate = original
            _unchecked.reset(token)
