"""Locations of files as users write them: paths, URLs and S3 objects. Nothing is opened here."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from tessera.errors import InvalidInputError, MissingFileError, UnreadableFileError

WEB = ("http", "https")
S3 = ("s3", "s3a", "s3n")


class InFileSystem(str):
    """A location in a file system of fsspec, which `tessera.io.sources.open_source` uses.

    Parameters
    ----------
    location : str
        URL, or path in the file system.
    filesystem : fsspec file system
        The file system.
    """

    __slots__ = ("filesystem",)

    filesystem: Any

    def __new__(cls, location: str, filesystem: Any) -> Self:
        """Make the text that carries the file system."""
        made = super().__new__(cls, location)
        made.filesystem = filesystem
        return made


class OpensItself(str):
    """A location that knows how `tessera.io.sources.open_source` opens it; its text is for messages only."""

    __slots__ = ()

    def open_source(self) -> Any:
        """Open it as a `tessera.io.sources.Source`."""
        raise NotImplementedError


_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)(?:://|::(?=.*://))", re.ASCII)
_CACHES = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*::)+(?=[A-Za-z][A-Za-z0-9+.-]*://)", re.ASCII)
"""What stands in front of a URL that fsspec keeps in a cache, such as ``simplecache::https://host/file.fits``."""
_COLLAPSED = re.compile(r"(s3|https?|file|ftp|gs):/[^/]", re.IGNORECASE)
_SECRET = re.compile(r"sig|token|secret|passw|cred|auth|key|session|policy|code", re.IGNORECASE)
_FILE = re.compile(r"[^/:=]+\.[A-Za-z][A-Za-z0-9.]*$")


def location_text(location: object) -> str:
    """Text of a location.

    Raises
    ------
    InvalidInputError
        When it is neither text nor a path, or is empty.
    """
    text = os.fspath(location) if isinstance(location, (str, os.PathLike)) else None
    if not isinstance(text, str) or not text.strip():
        raise InvalidInputError("location", location, "a path or URL")
    return text


def scheme_of(text: str) -> str:
    """Scheme of a URL in lower case, or an empty text for a path."""
    match = _SCHEME.match(text)
    return match[1].lower() if match else ""


def shown(location: object) -> str:
    """Text of a location for messages: without passwords, and without the signatures of a query."""
    text = _text(location)
    if caches := _CACHES.match(text):
        return caches[0] + shown(text[caches.end() :])
    if scheme_of(text) in ("", *S3):
        return text
    base, mark, query = text.partition("?")
    scheme, _, rest = base.partition("://")
    host, slash, path = rest.partition("/")
    user, at, name = host.rpartition("@")
    host = f"{user.partition(':')[0]}:...@{name}" if at and ":" in user else host
    return f"{scheme}://{host}{slash}{path}{mark}{'&'.join(map(_shown_parameter, query.split('&')))}"


def _text(location: object) -> str:
    return str(os.fspath(location) if isinstance(location, os.PathLike) else location)


def _without_caches(text: str) -> str:
    caches = _CACHES.match(text)
    return text[caches.end() :] if caches else text


def _shown_parameter(parameter: str) -> str:
    name, mark, value = parameter.partition("=")
    return f"{name}{mark}..." if value and _SECRET.search(name) else parameter


def file_name(location: object) -> str:
    """Name of a file without its folders. The name in a URL is decoded; its query is used if the path has no file."""
    text = _without_caches(_text(location))
    scheme = scheme_of(text)
    if scheme not in (*WEB, "file"):
        return (text.partition("::")[0] if scheme else text).rpartition("/")[2]
    try:
        parts = urlsplit(text)
    except ValueError:
        return text.rpartition("/")[2]
    name = unquote(parts.path).rpartition("/")[2]
    if "." not in name:
        values = (value for _, value in parse_qsl(parts.query))
        name = next((match[0] for match in map(_FILE.search, values) if match), name)
    return name


def in_folder_of(location: object, name: str) -> str:
    """Location of a file by its path from the folder of another file.

    Parameters
    ----------
    location : str or Path
        Path, URL or location in a file system, of the other file.
    name : str
        Path with slashes, such as ``../other/file.fits``.
    """
    text = location_text(location)
    scheme = scheme_of(text)
    if not scheme:
        found = os.path.join(os.path.dirname(text), *name.split("/"))  # noqa: PTH118, PTH120 - of any file system
    else:
        base = text.partition("?")[0] if scheme in WEB else text
        start = base.rindex("://") + 3
        host, slash, path = base[start:].partition("/")
        tail = posixpath.join(posixpath.dirname(path), quote(name) if scheme in WEB else name)
        found = base[:start] + host + slash + posixpath.normpath(tail)
    return InFileSystem(found, location.filesystem) if isinstance(location, InFileSystem) else found


def local_path(text: str) -> Path:
    """Path of a local file, from a path or a ``file://`` URL.

    Raises
    ------
    UnreadableFileError
        When the URL names another machine.
    MissingFileError
        When the path is a URL that lost a slash, as it does in a `pathlib.Path`.
    """
    if scheme_of(text) == "file":
        try:
            parts = urlsplit(text)
        except ValueError as error:
            raise UnreadableFileError(text, f"it is not a URL ({error})") from None
        if parts.netloc.lower() not in ("", "localhost"):
            raise UnreadableFileError(text, "a file:// URL names a file of this machine: file:///folder/name")
        return Path(unquote(parts.path) or "/")
    if _COLLAPSED.match(text) and not Path(text).exists():
        raise MissingFileError(text, "there is no such file; give a URL as text, not as a Path: scheme://...")
    return Path(text)
