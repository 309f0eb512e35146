"""Signatures of records, by the Ed25519 key of whoever makes the products. Off unless a key is given.

The bytes of the record's text are signed, so that any program for Ed25519 can check a signature. A process has one key:
all records that it makes are signed with it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeAlias

from tessera.errors import InvalidInputError, SignatureError
from tessera.extras import import_extra

KeyFile: TypeAlias = "str | os.PathLike[str]"
_PURPOSE = "signatures"
_PRIVATE = "a PEM file with an Ed25519 key without a passphrase, as 'openssl genpkey -algorithm ed25519' writes it"
_PUBLIC = "a PEM file with an Ed25519 public key, as 'openssl pkey -in KEY -pubout' writes it"
_FORM = re.compile(r"ed25519:([0-9a-f]{16}):([A-Za-z0-9+/]{86}==)")


def _library() -> tuple[Any, Any]:
    """The modules of the package cryptography: keys of Ed25519, and their files."""
    primitives = "cryptography.hazmat.primitives"
    return import_extra(f"{primitives}.asymmetric.ed25519", _PURPOSE), import_extra(
        f"{primitives}.serialization", _PURPOSE
    )


def _key_id(public: Any) -> str:
    """Name of a key: the first 16 digits of the SHA-256 of its public part in DER."""
    _, files = _library()
    der = public.public_bytes(files.Encoding.DER, files.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:16]


@dataclass(frozen=True)
class SigningKey:
    """A private key. Another process may get it.

    Parameters
    ----------
    pem : bytes
        The key in PEM.
    name : str, optional
        What errors call the key.
    """

    pem: bytes
    name: str = "key"

    def __repr__(self) -> str:
        return f"SigningKey({self.name!r})"

    @classmethod
    def read(cls, file: KeyFile) -> Self:
        """Read a file.

        Raises
        ------
        InvalidInputError
            When it has no such key.
        OSError
            When it cannot be read.
        """
        key = cls(Path(file).read_bytes(), os.fspath(file))
        _ = key.id
        return key

    @cached_property
    def _private(self) -> Any:
        keys, files = _library()
        try:
            private = files.load_pem_private_key(self.pem, password=None)
        except (ValueError, TypeError) as error:  # TypeError: it has a passphrase
            raise InvalidInputError("key", self.name, _PRIVATE) from error
        if not isinstance(private, keys.Ed25519PrivateKey):
            raise InvalidInputError("key", self.name, _PRIVATE)
        return private

    @cached_property
    def id(self) -> str:
        """Name of the key, which its signatures have."""
        return _key_id(self._private.public_key())

    def sign(self, text: str) -> str:
        """Sign a text. All signatures have the same length."""
        return f"ed25519:{self.id}:{base64.b64encode(self._private.sign(text.encode())).decode()}"

    def __getstate__(self) -> dict[str, Any]:
        return {"pem": self.pem, "name": self.name}


class PublicKey:
    """A public key, which checks signatures.

    Parameters
    ----------
    file : str or Path
        PEM file with the key.

    Raises
    ------
    InvalidInputError
        When it has no such key.
    OSError
        When it cannot be read.
    """

    def __init__(self, file: KeyFile) -> None:
        keys, files = _library()
        try:
            self._public = files.load_pem_public_key(Path(file).read_bytes())
        except ValueError as error:
            raise InvalidInputError("key", os.fspath(file), _PUBLIC) from error
        if not isinstance(self._public, keys.Ed25519PublicKey):
            raise InvalidInputError("key", os.fspath(file), _PUBLIC)
        self.id = _key_id(self._public)

    def fits(self, text: str, signature: bytes) -> bool:
        """Whether the signature of a text is by this key."""
        invalid = import_extra("cryptography.exceptions", _PURPOSE).InvalidSignature
        try:
            self._public.verify(signature, text.encode())
        except invalid:
            return False
        return True


def check_signature(text: str, signature: str, keys: list[PublicKey]) -> str:
    """Check the signature of a text; id of the key that signed it.

    Raises
    ------
    SignatureError
        Saying why it is not good.
    """
    if not signature:
        raise SignatureError("it is not signed")
    form = _FORM.fullmatch(signature)
    if form is None:
        raise SignatureError(f"its signature is {signature[:80]!r}, which is no signature of Ed25519 by Tessera")
    signer, good = form[1], ", ".join(key.id for key in keys)
    for key in keys:
        if key.id == signer:
            if key.fits(text, base64.b64decode(form[2])):
                return signer
            raise SignatureError(f"its signature is wrong: the key {signer} did not sign this record")
    raise SignatureError(f"it is signed with the key {signer}, which is not given; given: {good}")


class _Signing:
    """What this process signs with."""

    key: Callable[[], SigningKey] | None = None


def sign_with(key: Callable[[], SigningKey] | None) -> None:
    """Sign all records that this process makes from now on; with None, none.

    Parameters
    ----------
    key : callable or None
        Returns the key. It is called for each record, so it should keep the key.
    """
    _Signing.key = key


def current_key() -> SigningKey | None:
    """The key that this process signs with; None without one."""
    return None if _Signing.key is None else _Signing.key()


def signs() -> bool:
    """Whether this process signs records. The key is read for that, so that no file is made and then not signed."""
    return current_key() is not None


def sign_text(text: str) -> str:
    """Signature of the text of a record; empty if this process signs none."""
    key = current_key()
    return "" if key is None else key.sign(text)


@contextmanager
def sign_records(key: KeyFile) -> Iterator[str]:
    """Sign the records of all products that this process makes until the end of the block, in all threads.

    Parameters
    ----------
    key : str or Path
        PEM file with a private key of Ed25519, as ``openssl genpkey -algorithm ed25519`` writes it.

    Yields
    ------
    str
        Name of the key: the first 16 digits of the SHA-256 of its public part in DER.

    Raises
    ------
    InvalidInputError
        When the file has no such key.
    MissingPackageError
        When the package cryptography is not installed.
    OSError
        When the file cannot be read.
    """
    before, read = _Signing.key, SigningKey.read(key)
    sign_with(lambda: read)
    try:
        yield read.id
    finally:
        sign_with(before)
