"""Names of the ways to detrend light curves. The words are lightkurve's."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from tessera.checks import check_choice

Detrending: TypeAlias = Literal["none", "pld", "cbv"]
"""What takes the trend from a light curve."""
NO_BACKGROUND = "none or cbv without a subtracted background, because pld would then take away what the star does"
"""What is allowed in place of PLD of pixels with background, whose shares of the flux follow the star."""
DETRENDINGS: tuple[str, ...] = get_args(Detrending)


def check_detrend(value: object, argument: str = "detrend") -> str:
    """Return the name of a way to detrend.

    Raises
    ------
    InvalidInputError
        When the value is none.
    """
    return check_choice(argument, value, DETRENDINGS)
