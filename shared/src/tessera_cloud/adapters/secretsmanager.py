"""Secrets in AWS Secrets Manager."""

from __future__ import annotations

from typing import Any

from tessera.errors import TesseraError
from tessera.provenance.signing import SigningKey
from tessera_cloud.adapters.aws_errors import call
from tessera_cloud.errors import FatalError, ObjectMissingError


class SecretsManager:
    """Texts that only some roles may read.

    Parameters
    ----------
    client : boto3 Secrets Manager client
        Client with standard retries.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def read_key(self, secret: str) -> SigningKey:
        """Read a key in PEM, given the ARN of its secret.

        Raises
        ------
        FatalError
            If there is no such secret, it may not be read, or it has no such key.
        """
        try:
            answer = call(f"read {secret}", self._client.get_secret_value, SecretId=secret)
            key = SigningKey(answer["SecretString"].encode(), f"the secret {secret}")
            _ = key.id
        except (TesseraError, ObjectMissingError, LookupError) as error:  # LookupError: it has bytes, and no text
            raise FatalError(f"records cannot be signed: {error}") from error
        return key
