"""Credentials, regions and endpoints of S3, as people have them."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from botocore.credentials import SSOProvider

from tessera.errors import RemoteError
from tessera.io import buckets, remote
from tessera.io.sources import open_source
from tests.support.web import Site, serve

CONTENT = bytes(range(256)) * 400
URL = "s3://some-bucket/folder/a.fits"
LATER = "2999-01-01T00:00:00Z"
ROLE = {"AccessKeyId": "ROLEKEY", "SecretAccessKey": "hidden", "Token": "role-token", "Expiration": LATER}
ASSUMED = """<R xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{0}Result><Credentials><AccessKeyId>STSKEY</AccessKeyId>
<SecretAccessKey>hidden</SecretAccessKey><SessionToken>sts-token</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration>
</Credentials></{0}Result></R>"""


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Site]:
    """An endpoint of S3 with one object. The user has nothing of AWS but this endpoint."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(remote, "RETRIES", {"max_retries": 0})
    monkeypatch.setattr(buckets, "_VENDOR", tmp_path / "vendor")
    with serve(Site({"/some-bucket/folder/a.fits": CONTENT})) as site:
        monkeypatch.setenv("AWS_ENDPOINT_URL", site.base)
        yield site


def profile(tmp_path: Path, text: str, name: str = "config") -> None:
    (tmp_path / ".aws").mkdir(exist_ok=True)
    (tmp_path / ".aws" / name).write_text(text)


def signer(site: Site) -> str:
    """Key and region that signed the last request for the object: KEY/REGION, or an empty text."""
    headers = [heads for _, path, heads in site.requests if path.startswith("/some-bucket/")][-1]
    signature = {name.lower(): value for name, value in headers.items()}.get("authorization", "")
    key, _, region = signature.partition("Credential=")[2].split("/")[:3] if signature else ("", "", "")
    return f"{key}/{region}" if signature else ""


def read() -> None:
    assert open_source(URL).read(90_000, 100) == CONTENT[90_000:90_100]


@pytest.mark.parametrize("botocore", [True, False])
def test_without_any_credentials_requests_are_anonymous_and_nobody_else_is_asked(
    s3: Site, monkeypatch: pytest.MonkeyPatch, botocore: bool
) -> None:
    if not botocore:
        monkeypatch.setattr(buckets, "find_spec", lambda _: None)
    read()
    assert signer(s3) == ""
    assert set(s3.paths()) == {"/some-bucket/folder/a.fits"}
    s3.judge = lambda _: 403
    with pytest.raises(
        RemoteError, match="403 Forbidden: access is not allowed; no AWS credentials were found"
    ) as told:
        open_source(URL)
    assert ("pip install 'tessera-cubes[aws]'" in str(told.value)) != botocore


@pytest.mark.parametrize("region", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_keys_token_and_region_of_the_environment_sign(s3: Site, monkeypatch: pytest.MonkeyPatch, region: str) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENVKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "env-token")
    monkeypatch.setenv(region, "eu-west-3")
    monkeypatch.setenv("AWS_REQUEST_PAYER", "requester")
    read()
    headers = {name.lower(): value for name, value in s3.requests[-1][2].items()}
    assert signer(s3) == "ENVKEY/eu-west-3"
    assert (headers["x-amz-security-token"], headers["x-amz-request-payer"]) == ("env-token", "requester")


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", ""])
def test_a_profile_gives_keys_region_and_endpoint(
    s3: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    name = "mine" if variable else "default"
    if variable:
        monkeypatch.setenv(variable, name)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    head = f"[profile {name}]" if variable else "[default]"
    profile(
        tmp_path, f"{head}\nregion = ap-south-1\nservices = here\n[services here]\ns3 =\n  endpoint_url = {s3.base}\n"
    )
    profile(tmp_path, f"[{name}]\naws_access_key_id = FILEKEY\naws_secret_access_key = hidden\n", "credentials")
    read()
    assert signer(s3) == "FILEKEY/ap-south-1"


def test_a_profile_may_run_a_program(s3: Site, tmp_path: Path) -> None:
    keys = {"Version": 1, "AccessKeyId": "PROGRAMKEY", "SecretAccessKey": "hidden"}
    (tmp_path / "keys.py").write_text(f"print({json.dumps(keys)!r})")
    profile(tmp_path, f"[default]\ncredential_process = {sys.executable} {tmp_path / 'keys.py'}\n")
    read()
    assert signer(s3) == "PROGRAMKEY/us-east-1"


def test_a_profile_may_use_single_sign_on(s3: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    start = "https://here.awsapps.com/start"
    about = f"sso_start_url = {start}\nsso_region = us-east-1\nsso_account_id = 1\nsso_role_name = reader\n"
    profile(tmp_path, f"[default]\n{about}")
    s3.judge = lambda _: 403
    with pytest.raises(RemoteError, match="AWS credentials cannot be used: Error loading SSO Token"):
        open_source(URL)
    s3.judge = lambda _: 0
    read()  # the bucket is public
    assert signer(s3) == ""
    cache = tmp_path / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    monkeypatch.setattr(SSOProvider, "_SSO_TOKEN_CACHE_DIR", str(cache))  # botocore looked at HOME when it was imported
    token = {"startUrl": start, "region": "us-east-1", "accessToken": "x", "expiresAt": LATER}
    (cache / f"{hashlib.sha1(start.encode()).hexdigest()}.json").write_text(json.dumps(token))
    keys = {"accessKeyId": "SSOKEY", "secretAccessKey": "hidden", "sessionToken": "t", "expiration": 32503680000000}
    s3.files["/federation/credentials?role_name=reader&account_id=1"] = json.dumps({"roleCredentials": keys}).encode()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", s3.base)
    read()
    assert signer(s3) == "SSOKEY/us-east-1"


@pytest.mark.parametrize("action", ["AssumeRole", "AssumeRoleWithWebIdentity"])
def test_a_role_is_assumed_from_a_profile_or_a_web_identity(
    s3: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, action: str
) -> None:
    arn = "arn:aws:iam::123456789012:role/reader"
    if action == "AssumeRole":
        profile(tmp_path, f"[default]\nrole_arn = {arn}\nsource_profile = base\n[profile base]\naws_access_key_id = A\n"
                          "aws_secret_access_key = B\n")  # fmt: skip
    else:
        (tmp_path / "token").write_text("web-token")
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
        monkeypatch.setenv("AWS_ROLE_ARN", arn)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", s3.base)
    s3.files["/"] = ASSUMED.format(action).encode()
    read()
    assert signer(s3) == "STSKEY/us-east-1"


@pytest.mark.parametrize("botocore", [True, False])
def test_the_role_of_a_container_signs(
    s3: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, botocore: bool
) -> None:
    if not botocore:
        monkeypatch.setattr(buckets, "find_spec", lambda _: None)
        (tmp_path / "token").write_text("container-token")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
    s3.files["/role"] = json.dumps(ROLE).encode()
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{s3.base}/role")
    read()
    assert signer(s3) == "ROLEKEY/us-east-1"


@pytest.mark.parametrize("known_by", ["variable", "vendor"])
def test_the_role_of_an_instance_signs(
    s3: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, known_by: str
) -> None:
    base = "/latest/meta-data/iam/security-credentials/"
    s3.files |= {
        "/latest/api/token": b"t",
        base: b"reader",
        f"{base}reader": json.dumps({"Code": "Success", **ROLE}).encode(),
    }
    if known_by == "variable":
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", s3.base)
    else:
        profile(tmp_path, f"[default]\nec2_metadata_service_endpoint = {s3.base}\n")
        (tmp_path / "vendor").write_text("Amazon EC2\n")
    read()
    assert signer(s3) == "ROLEKEY/us-east-1"
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    read()
    assert signer(s3) == ""


@pytest.mark.parametrize(
    ("status", "body"), [(403, "AccessDenied"), (403, "InvalidAccessKeyId"), (400, "ExpiredToken")]
)
def test_a_public_bucket_that_refuses_old_credentials_is_read_anonymously(
    s3: Site, monkeypatch: pytest.MonkeyPatch, status: int, body: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "OLDKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    s3.bodies["refused"] = f"<Error><Code>{body}</Code></Error>".encode()
    s3.judge = lambda headers: status if "authorization" in headers else 0
    read()
    assert signer(s3) == ""
    n_requests = len(s3.requests)
    read()
    assert len(s3.requests) == n_requests + 2
    s3.judge = lambda _: status
    with pytest.raises(RemoteError, match=rf"{status} .* \({body}\)") as told:
        open_source("s3://some-bucket/folder/b.fits")
    assert "hidden" not in str(told.value)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("status", [301, 400])
def test_the_region_of_a_bucket_is_found(s3: Site, monkeypatch: pytest.MonkeyPatch, status: int, signed: bool) -> None:
    if signed:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    s3.heads["x-amz-bucket-region"] = "eu-central-1"
    wrong = {"us-east-1"} if signed else set()

    def judge(headers: dict[str, str]) -> int:
        return status if any(f"/{region}/" in headers.get("authorization", "") for region in wrong) else 0

    s3.judge = judge
    read()
    assert signer(s3) == ("KEY/eu-central-1" if signed else "")
    n_requests = len(s3.requests)
    read()
    assert len(s3.requests) == n_requests + 2


@pytest.mark.parametrize(
    ("variable", "text", "reason"),
    [
        ("AWS_ACCESS_KEY_ID", "", "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY"),
        ("AWS_PROFILE", "", "absent"),
        ("", "[default]\ncredential_process = false\n", "credential"),
        ("", "this is not\na profile", "onfig"),
    ],
)
def test_credentials_that_cannot_be_used_are_told_unless_the_bucket_is_public(
    s3: Site, request: pytest.FixtureRequest, variable: str, text: str, reason: str
) -> None:
    if variable:
        request.getfixturevalue("monkeypatch").setenv(variable, "absent")
    profile(request.getfixturevalue("tmp_path"), text)
    read()
    s3.judge = lambda _: 403
    with pytest.raises(RemoteError, match=f"{URL} cannot be read: AWS credentials cannot be used: .*{reason}") as told:
        open_source(URL)
    assert "\n" not in str(told.value)


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize("bucket", ["", "a", "A B", "<b>", "ü-bucket", "b" * 300, "a/../b", "-ab"])
def test_a_bucket_that_cannot_exist_is_refused_by_its_name(bucket: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RemoteError, match="cannot be read: "):
        open_source(f"s3://{bucket}/a.fits")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("key", ["a b.fits", "ü.fits", "a+b.fits", "a%20b.fits", "a#b.fits", "a?b=c.fits", "a&b=.fits"])
@pytest.mark.parametrize("scheme", ["s3", "S3", "s3a"])
def test_a_key_is_read_as_it_is_written(s3: Site, key: str, scheme: str) -> None:
    s3.files = {}
    with pytest.raises(RemoteError, match="there is no such file"):
        open_source(f"{scheme}://some-bucket/{key}")
    assert unquote(s3.paths()[-1]) == f"/some-bucket/{key}"
