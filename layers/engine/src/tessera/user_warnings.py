"""Warnings that users may want to filter; astropy's family, so that its filters apply."""

from astropy.utils.exceptions import AstropyWarning


class DataWarning(AstropyWarning):  # type: ignore[misc] # astropy is untyped
    """Something in the data is not used; the message says what and why."""


class InputWarning(AstropyWarning):  # type: ignore[misc] # see above
    """A part of what the user gave is not used; the message says which."""
