"""Names of bodies of the solar system: which texts may be one. JPL Horizons knows which of them are."""

from __future__ import annotations

import re
import unicodedata

from tessera_cloud.errors import UsageError

MOST_CHARACTERS = 100
_SIGNS = "./():;=,'+*@-"
_NAME = re.compile(rf"[\w {re.escape(_SIGNS)}\u2018\u2019]{{1,{MOST_CHARACTERS}}}")
_ALLOWED = (
    f"a name, number or designation of at most {MOST_CHARACTERS} characters, which are letters, digits, spaces and "
    + " ".join(_SIGNS)
)


def body_name(text: str | None, parameter: str = "obj_id") -> str:
    """Check that a text may be the name of a body of the solar system.

    Designations (`C/2017 K2`, `2003 UB313`), numbers (`354`, `(1) Ceres`), names with apostrophes and accents
    (`'Oumuamua`) and Horizons' own forms (`DES=1P; CAP;`) may be. Quotation marks and line breaks may not, because the
    name becomes a quoted value of a request.

    Parameters
    ----------
    text : str or None
        What a user gave; None for nothing.
    parameter : str, optional
        Name of the parameter, for the error.

    Returns
    -------
    str
        The name, without spaces around it, each accented letter as one character.

    Raises
    ------
    UsageError
        If it cannot be a name.
    """
    name = unicodedata.normalize("NFC", (text or "").strip())
    if _NAME.fullmatch(name) is None:
        raise UsageError.about(parameter, text, _ALLOWED)
    return name
