"""See the package."""

from tessera import DataWarning, InvalidInputError

__all__ = ["DataWarning", "InvalidInputError"]
