"""Checksums of what a client sends."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Protocol

from tessera.io.deflate.blocks import crc32
from tessera_local.s3.protocol.answers import S3Error

PREFIX = "x-amz-checksum-"


class _Digest(Protocol):
    def update(self, data: bytes, /) -> object: ...

    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes) -> None:
        self._value = crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


def _algorithm(name: str) -> _Digest:
    if name == "crc32":
        return _Crc32()
    if name in ("sha1", "sha256"):
        return hashlib.new(name, usedforsecurity=False)
    raise S3Error("NotImplemented", f"The checksum {name.upper()} is not implemented on one machine.")


class Digests:
    """Checksums of a body that passes by: MD5, which is the ETag, and those that the headers of the request promise."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._promised = {
            name.lower(): text
            for name, text in headers.items()
            if name.lower().startswith(PREFIX) and not name.lower().endswith(("-algorithm", "-type", "-mode"))
        }
        self._digests: dict[str, _Digest] = {name: _algorithm(name[len(PREFIX) :]) for name in self._promised}
        if promised := headers.get("Content-MD5"):
            self._promised["content-md5"], self._digests["content-md5"] = promised, self._md5

    def update(self, data: bytes) -> None:
        """Take the next piece of the body."""
        self._md5.update(data)
        for digest in self._digests.values():
            if digest is not self._md5:
                digest.update(data)

    @property
    def etag(self) -> str:
        """MD5 in hexadecimal."""
        return self._md5.hexdigest()

    def check(self) -> dict[str, str]:
        """Compare the checksums with those promised, and return the headers that repeat them.

        Raises
        ------
        S3Error
            If one differs.
        """
        for name, digest in self._digests.items():
            if base64.b64encode(digest.digest()).decode() != self._promised[name]:
                raise S3Error("BadDigest", f"The {name} you specified did not match what we received.")
        return {name: text for name, text in self._promised.items() if name.startswith(PREFIX)}
