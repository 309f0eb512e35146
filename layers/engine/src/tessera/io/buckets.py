"""Open buckets in S3: find credentials, region and endpoint as other programs for AWS do.

Credentials come from the first place that has some: the variables ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``
and ``AWS_SESSION_TOKEN``; profiles (static keys, ``credential_process``, single sign-on, assumed roles); a web
identity; the role of a container; the role of an instance of EC2. Without any, requests are anonymous. botocore reads
profiles. If it is not installed, obstore itself finds the others.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

REGION = "us-east-1"
"""Region of a bucket when nothing says another one."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_CONTAINER = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
_LOCAL = re.compile(r"http://(localhost|127\.0\.0\.1)(:\d+)?/?$")
"""Endpoints on this machine without encryption. They need no certificates, which take 4 to 12 ms to load."""
_SHORT = timedelta(minutes=5)
_VENDOR = Path("/sys/class/dmi/id/sys_vendor")
_SECONDS = 10

_PREFERRED: dict[Bucket, Bucket] = {}


class CredentialsError(ValueError):
    """There are credentials, and they cannot be read."""


@dataclass(frozen=True)
class Bucket:
    """How a bucket is opened.

    Parameters
    ----------
    name : str
        Name of the bucket.
    environment : tuple of (str, str)
        Variables of the environment that concern AWS, in order.
    region : str
        Region; empty for that of the environment, the profile, or us-east-1.
    anonymous : bool
        Whether requests are not signed although there may be credentials.
    """

    name: str
    environment: tuple[tuple[str, str], ...]
    region: str = ""
    anonymous: bool = False

    @classmethod
    def named(cls, name: str) -> Bucket:
        """Bucket with the credentials of the environment, or opened as it was when that worked before.

        Raises
        ------
        ValueError
            When the name cannot be that of a bucket.
        """
        if not _NAME.fullmatch(name):
            raise ValueError("a bucket's name has 3 to 63 letters, digits, dots and hyphens")
        wanted = ("HOME", "USERPROFILE")
        known = {key: value for key, value in os.environ.items() if (key.startswith("AWS_") or key in wanted) and value}
        bucket = cls(name, tuple(sorted(known.items())))
        if _account(bucket.environment).trouble:
            _account.cache_clear()  # the user may have logged in meanwhile
        return _PREFERRED.get(bucket, bucket)

    @property
    def signed(self) -> bool:
        """Whether requests are signed."""
        return not self.anonymous and _account(self.environment).signed

    @property
    def endpoint(self) -> str:
        """Address of the server that has the bucket; empty for AWS."""
        return _account(self.environment).endpoint

    @property
    def advice(self) -> str:
        """What may help when an anonymous request was refused."""
        profiles = "" if find_spec("botocore") else "; profiles need botocore: pip install 'tessera-cubes[aws]'"
        return f"no AWS credentials were found{profiles}"

    def open(self) -> Any:
        """Open the bucket with obstore. Buckets that were opened in the same way share their connections.

        Raises
        ------
        CredentialsError
            When credentials are there but cannot be read.
        """
        return _open(self)

    def others(self, status: int | None) -> list[Bucket]:
        """Other ways to open the bucket, after a request was refused with a status.

        The bucket may be in another region, and a public bucket may refuse credentials that are old or restricted.
        """
        ways: list[Bucket] = []
        region = _find_region(self) if status in (301, 307, 400) else ""
        if region and region != (self.region or _account(self.environment).region):
            ways.append(replace(self, region=region))
        if _account(self.environment).signed and status in (400, 401, 403):
            ways.append(replace(self, region=region or self.region, anonymous=not self.anonymous))
        return ways

    def prefer(self) -> None:
        """Open the bucket in this way from now on."""
        if not _account(self.environment).trouble:
            _PREFERRED[Bucket(self.name, self.environment)] = self


@dataclass(frozen=True)
class _Account:
    """What environment and profile say."""

    region: str
    endpoint: str
    signed: bool
    credentials: Any = None
    trouble: str = ""


@lru_cache(maxsize=8)
def _account(environment: tuple[tuple[str, str], ...]) -> _Account:
    known = dict(environment)
    keys = "AWS_ACCESS_KEY_ID" in known
    region = known.get("AWS_REGION") or known.get("AWS_DEFAULT_REGION") or ""
    ignored = known.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true"
    endpoint = "" if ignored else known.get("AWS_ENDPOINT_URL_S3") or known.get("AWS_ENDPOINT_URL") or ""
    if keys and "AWS_SECRET_ACCESS_KEY" not in known:
        return _Account(region, endpoint, True, trouble="AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY")
    role = any(name in known for name in ("AWS_WEB_IDENTITY_TOKEN_FILE", *_CONTAINER)) or _on_ec2(known)
    files = "AWS_PROFILE" in known or "AWS_DEFAULT_PROFILE" in known or any(map(Path.is_file, _config_files(known)))
    if find_spec("botocore") and (files or (role and not keys)):
        return _botocore_account(_Account(region, endpoint, keys), keys=keys, ec2=_on_ec2(known), ignored=ignored)
    alone = "AWS_CONTAINER_CREDENTIALS_FULL_URI" in known and "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" not in known
    return _Account(region or REGION, endpoint, keys or (role and not alone))  # obstore needs the token


def _config_files(known: dict[str, str]) -> list[Path]:
    folder = Path(known.get("HOME") or known.get("USERPROFILE") or "~").expanduser() / ".aws"
    variables = {"config": "AWS_CONFIG_FILE", "credentials": "AWS_SHARED_CREDENTIALS_FILE"}
    return [Path(known.get(variable) or folder / name).expanduser() for name, variable in variables.items()]


def _on_ec2(known: dict[str, str]) -> bool:
    """Whether to ask the metadata service for a role. Elsewhere, nobody would answer, after seconds."""
    if known.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return False
    if "AWS_EC2_METADATA_SERVICE_ENDPOINT" in known or "AWS_METADATA_ENDPOINT" in known:
        return True
    try:
        return _VENDOR.read_text("utf-8").startswith("Amazon EC2")
    except OSError:
        return False


def _botocore_account(found: _Account, *, keys: bool, ec2: bool, ignored: bool) -> _Account:
    """Add what the profile says, and credentials if the environment has none."""
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - slow to import; few users have profiles
    from botocore.session import Session  # noqa: PLC0415 - see above

    session = Session()
    try:
        profile, services = session.get_scoped_config(), session.full_config.get("services", {})
        service = services.get(profile.get("services", ""), {}).get("s3", {})
        ignored = ignored or str(profile.get("ignore_configured_endpoint_urls", "")).lower() == "true"
        said = "" if ignored else service.get("endpoint_url") or profile.get("endpoint_url") or ""
        found = replace(found, region=found.region or profile.get("region") or REGION, endpoint=found.endpoint or said)
        if keys:
            return found
        session.set_config_variable("region", found.region)  # to assume a role
        if not ec2:
            session.get_component("credential_provider").remove("iam-role")
        credentials = session.get_credentials()
        if credentials is not None:
            credentials.get_frozen_credentials()
        return replace(found, signed=credentials is not None, credentials=credentials)
    except BotoCoreError as error:
        return replace(found, region=found.region or REGION, signed=True, trouble=str(error).partition("\n")[0])


def _provide(credentials: Any) -> Any:
    """Give obstore the credentials of botocore, which renews them. obstore asks again after five minutes."""

    def provide() -> dict[str, Any]:
        now = credentials.get_frozen_credentials()
        until = datetime.now(UTC) + _SHORT
        return {
            "access_key_id": now.access_key,
            "secret_access_key": now.secret_key,
            "token": now.token,
            "expires_at": until,
        }

    return provide


@lru_cache(maxsize=64)
def _open(bucket: Bucket) -> Any:
    from obstore.store import S3Store  # noqa: PLC0415 - slow to import

    from tessera.io.remote import CLIENT, RETRIES  # noqa: PLC0415 - that module imports this one

    account = _account(bucket.environment)
    region = bucket.region or account.region
    options: dict[str, Any] = {"region": region, "virtual_hosted_style_request": False}
    options["aws_endpoint_url_s3"] = account.endpoint or f"https://s3.{region}.amazonaws.com"
    payer = dict(bucket.environment).get("AWS_REQUEST_PAYER", "")
    if payer:
        options["request_payer"] = payer.lower() in ("requester", "true", "1")
    if not bucket.signed:
        # The keys are not used, but half a pair of them in the environment would be an error.
        options |= {"skip_signature": True, "access_key_id": "nobody", "secret_access_key": "nobody"}
    elif account.trouble:
        raise CredentialsError(f"AWS credentials cannot be used: {account.trouble}")
    elif account.credentials is not None:
        options["credential_provider"] = _provide(account.credentials)
    if _LOCAL.match(account.endpoint):
        with suppress(ValueError):  # versions of obstore before 0.12 do not know this option
            client: Any = {**CLIENT, "disable_system_certificates": True}
            return S3Store(bucket.name, client_options=client, retry_config=RETRIES, **options)
    return S3Store(bucket.name, client_options=CLIENT, retry_config=RETRIES, **options)


def _find_region(bucket: Bucket) -> str:
    """Region that S3 says for a bucket, or an empty text. S3 says it also to those who may not read the bucket."""
    from urllib.error import URLError  # noqa: PLC0415 - few buckets are in another region
    from urllib.request import Request, urlopen  # noqa: PLC0415 - see above

    endpoint = _account(bucket.environment).endpoint or "https://s3.amazonaws.com"
    request = Request(f"{endpoint.rstrip('/')}/{quote(bucket.name)}", method="HEAD")  # noqa: S310 - an endpoint of S3
    try:
        with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - see above
            headers = answer.headers
    except (URLError, TimeoutError) as error:
        headers = getattr(error, "headers", None) or {}
    return headers.get("x-amz-bucket-region") or ""
