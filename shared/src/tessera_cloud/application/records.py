"""Records that several writers update. No writer overwrites a change of another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tessera_cloud.errors import ObjectChangedError, TransientError
from tessera_cloud.ports import StateStore

_T = TypeVar("_T")


def update_record(
    state: StateStore,
    kind: str,
    name: str,
    update: Callable[[Mapping[str, Any] | None], tuple[Mapping[str, Any] | None, _T]],
    *,
    attempts: int,
    expires: Callable[[Mapping[str, Any]], float] | None = None,
) -> _T:
    """Read a record, change it, and write it if no other writer has changed it since; otherwise do it again.

    Parameters
    ----------
    state : StateStore
        Store of the record.
    kind, name : str
        Kind and name of the record.
    update : callable
        Gets the old content, None if there is no record. Returns the new content, None to leave the record unchanged,
        and a result. It may be called several times.
    attempts : int
        Largest number of attempts.
    expires : callable, optional
        Gets the new content. Returns the time in seconds since 1970 after which the record may disappear.

    Returns
    -------
    object
        Result of the last call of `update`.

    Raises
    ------
    TransientError
        If other writers were faster each time.
    """
    for _ in range(attempts):
        item = state.get(kind, name)
        new, outcome = update(item.value if item else None)
        if new is None:
            return outcome
        try:
            state.put(kind, name, new, over=item.version if item else 0, expires=expires(new) if expires else None)
        except ObjectChangedError:
            continue
        return outcome
    raise TransientError(f"record {kind}/{name} changed {attempts} times while it was written")
