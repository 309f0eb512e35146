"""See the package."""

from tessera import DataWarning, InputWarning, InvalidInputError, InvalidQueryError


class ModuleWarning(UserWarning):
    """Tells the peer's users that a package is missing which Tessera does not need."""


__all__ = ["DataWarning", "InputWarning", "InvalidInputError", "InvalidQueryError", "ModuleWarning"]
