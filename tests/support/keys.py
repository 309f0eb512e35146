"""Keys of Ed25519 in files."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def key_files(folder: Path, seed: bytes = bytes(32)) -> tuple[Path, Path]:
    """The files of a private key, which is made of 32 bytes, and of its public key."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    files = folder / "private.pem", folder / "public.pem"
    files[0].write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    files[1].write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return files
