"""Write ASDF files, with or without a check against their schemas."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from tessera.extras import import_extra

_unchecked: ContextVar[bool] = ContextVar("tessera_unchecked", default=False)
_lock = threading.Lock()


def spectrum_bytes(tree: Mapping[str, Any], *, validate: bool = True) -> bytes:
    """Make the bytes of an ASDF file.

    Parameters
    ----------
    tree : mapping
        Tree of the file.
    validate : bool, optional
        Whether to check the tree against its schemas. The check takes most of the time.
    """
    asdf = import_extra("asdf", "ASDF files")
    content = io.BytesIO()
    if validate:
        asdf.AsdfFile(tree).write_to(content)
    else:
        with _without_checks():
            asdf.AsdfFile(tree).write_to(content)
    return content.getvalue()


@contextmanager
def _without_checks() -> Iterator[None]:
    """Turn off asdf's check in this thread. Files that other threads write are still checked.

    asdf (6.0) has no option for this. `validate_on_read` of its configuration applies to reading, and
    ``yamlutil.dump_tree`` calls ``schema.validate`` for every tree that is written.
    """
    schema = import_extra("asdf.schema", "ASDF files")
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
