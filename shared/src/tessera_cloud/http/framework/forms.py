"""Forms of texts, and parameters that do not go together, with words for the user."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from tessera_cloud.http.framework.refusals import FORM, TOGETHER


def _any(_text: str) -> bool:
    return True


@dataclass(frozen=True)
class TextForm:
    """The form of a text, as an annotation. Every text that does not have it is refused with the same words.

    Parameters
    ----------
    pattern : str
        Regular expression of the whole text.
    words : str
        What is allowed, for the user.
    check : callable, optional
        Returns whether a text of this form is allowed.
    longest : int, optional
        Largest number of characters.
    """

    pattern: str
    words: str
    check: Callable[[str], bool] = _any
    longest: int = 2000

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the text after it is known to be a text."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Show the form in the OpenAPI document."""
        return handler(schema) | {"pattern": f"^{self.pattern}$", "maxLength": self.longest}

    def _checked(self, text: str) -> str:
        if len(text) > self.longest or not re.fullmatch(self.pattern, text, re.ASCII) or not self.check(text):
            raise PydanticCustomError(FORM, "{words}", {"words": self.words})
        return text


def together(parameter: str, said: str, allowed: str) -> PydanticCustomError:
    """Error of parameters that do not go together.

    Parameters
    ----------
    parameter : str
        Name of one of them.
    said : str
        What the request has: ``position and region are given``.
    allowed : str
        What is allowed.
    """
    about = {"said": said, "parameter": parameter, "allowed": allowed}
    return PydanticCustomError(TOGETHER, "{said}; allowed: {allowed}", about)


def check_place(ra: float | None, dec: float | None, other: str, *, has_other: bool) -> None:
    """Check that a request has either a position, or a parameter that is given instead.

    Raises
    ------
    PydanticCustomError
        See `together`.
    """
    given = [name for name, value in (("ra", ra), ("dec", dec)) if value is not None] + [other] * has_other
    if given not in (["ra", "dec"], [other]):
        said = f"the request has {' and '.join(given) or 'no position'}"
        missing = "dec" if given == ["ra"] else "ra" if given in ([], ["dec"]) else given[0]
        raise together(missing, said, f"ra and dec, or {other}")
