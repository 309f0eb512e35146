"""See the package."""

from tessera import DataWarning, InputWarning, InvalidInputError, InvalidQueryError

__all__ = ["DataWarning", "InputWarning", "InvalidInputError", "InvalidQueryError"]
