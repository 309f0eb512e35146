"""The key that signs the records of a service is in a secret, which a function reads when it makes its first record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from tessera.provenance.signing import PublicKey, current_key, sign_with
from tessera_cloud import bootstrap
from tessera_cloud.errors import FatalError
from tests.support.keys import key_files

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "TESSERA_CUBE_BUCKET": "cubes",
    "TESSERA_RESULT_BUCKET": "results",
}


@pytest.fixture(autouse=True)
def _function(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An execution environment of its own."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for kept in (bootstrap.services, bootstrap.signing_key):
        kept.cache_clear()
    with mock_aws():
        yield
    sign_with(None)
    for kept in (bootstrap.services, bootstrap.signing_key):
        kept.cache_clear()


def put(text: str) -> str:
    """ARN of a new secret."""
    made = boto3.client("secretsmanager").create_secret(Name="records", SecretString=text)
    return str(made["ARN"])


def test_a_function_signs_with_the_key_in_the_secret_that_its_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, public = key_files(tmp_path)
    monkeypatch.setenv("TESSERA_SIGNING_SECRET", arn := put(private.read_text(encoding="ascii")))
    bootstrap.services()
    key = current_key()
    assert key is not None
    assert key.id == PublicKey(public).id
    boto3.client("secretsmanager").delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    assert current_key() is key  # it is read once


def test_a_function_without_a_secret_signs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESSERA_SIGNING_SECRET", "")
    bootstrap.services()
    assert current_key() is None


def test_no_record_is_made_if_the_key_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    arn = put("no key")
    with pytest.raises(FatalError, match=r"^records cannot be signed: key is 'the secret arn:aws:.*'; allowed: a PEM"):
        bootstrap.signing_key(arn)
    boto3.client("secretsmanager").delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    with pytest.raises(FatalError, match=r"^records cannot be signed: read arn:aws:.*: ResourceNotFoundException"):
        bootstrap.signing_key(arn)
