"""Checks the signature of the record of a product, whatever file holds it."""

from __future__ import annotations

from dataclasses import replace

from tessera.errors import SignatureError
from tessera.provenance.record import canonical_json
from tessera.provenance.signing import PublicKey, check_signature
from tessera.verify.report import Problem, Verification

_UNCHECKED = "its record is signed, and no key was given to check the signature"


def judge_signature(found: Verification, keys: list[PublicKey]) -> Verification:
    """Add what the signature of a product's record tells.

    Parameters
    ----------
    found : Verification
        What is found out otherwise.
    keys : list of PublicKey
        Keys of which one must have signed the record. Without keys, nothing is asked of the signature.
    """
    if not keys:
        return replace(found, notes=[*found.notes, _UNCHECKED]) if found.signature else found
    try:
        text = canonical_json(found.record) if found.record else ""
        return replace(found, signed_by=check_signature(text, found.signature, keys))
    except SignatureError as error:
        problem = Problem("signature", str(error))
        return replace(found, status="different", problems=[*found.problems, problem])
