"""The address of a service, as users write it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from tessera.errors import InvalidInputError
from tessera.io.locations import shown

_ALLOWED = "the address of a Tessera service, such as 'http://127.0.0.1:3000' or 'https://tessera.example.org'"
_ENDINGS = ("/v1", "/v1/health", "/tesscut/api/v0.1", "/tesscut", "/docs", "/openapi.json")
"""Ends of addresses that people copy; the service is what stands before."""
_MAST = ("stsci.edu",)


@dataclass(frozen=True)
class Address:
    """Address of a service.

    Parameters
    ----------
    url : str
        URL without a slash at its end.
    """

    url: str

    def link(self, path: str, **query: object) -> str:
        """URL of a path of the API; parameters that are None are left out, and lists are joined by commas."""
        given = {name: _text(value) for name, value in query.items() if value is not None}
        return f"{self.url}{quote(path)}" + (f"?{urlencode(given)}" if given else "")

    def __str__(self) -> str:
        return shown(self.url)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(_text, value)) if isinstance(value, (list, tuple)) else str(value)


def read_address(url: object) -> Address:
    """Check the address of a service that a user gave.

    Raises
    ------
    InvalidInputError
        When it is not such an address.
    """
    if not isinstance(url, str):
        raise InvalidInputError("url", url, _ALLOWED)
    text = url.strip()
    scheme, mark, _ = text.partition("://")
    if not mark:
        meant = f"; did you mean 'http://{text}'?" if text and " " not in text and "/" not in text[:1] else ""
        raise InvalidInputError("url", text, _ALLOWED + meant)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except (ValueError, UnicodeError) as error:
        raise InvalidInputError("url", shown(text), _ALLOWED) from error
    is_plain = text.isprintable() and " " not in text
    if scheme.lower() not in ("http", "https") or not host or parts.query or parts.fragment or not is_plain:
        raise InvalidInputError("url", shown(text), f"{_ALLOWED}, without a query")
    if host.endswith(_MAST):
        other = "; MAST's own service has another API, which astroquery.mast.Tesscut asks"
        raise InvalidInputError("url", shown(text), _ALLOWED + other)
    base = text.rstrip("/")
    for ending in _ENDINGS:
        if base.endswith(ending):
            base = base.removesuffix(ending).rstrip("/")
            break
    return Address(base)
