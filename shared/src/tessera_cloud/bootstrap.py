"""Chooses the adapters, and reads the environment and the clock. No other module does so."""

from __future__ import annotations

import datetime
import os
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import Any, TypeAlias

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from obstore.store import S3Store as ObstoreBucket

from tessera import __version__
from tessera.provenance.signing import SigningKey, sign_with
from tessera.targets.tic import MastTic
from tessera_cloud.adapters.cloudwatch import CloudWatchAlarms
from tessera_cloud.adapters.dynamodb import DynamoDbState
from tessera_cloud.adapters.horizons import Horizons
from tessera_cloud.adapters.name_resolver import BundledNames, MastResolver
from tessera_cloud.adapters.result_links import BucketLinks
from tessera_cloud.adapters.s3 import S3Store, client_config
from tessera_cloud.adapters.secretsmanager import SecretsManager
from tessera_cloud.adapters.sqs import SqsQueue
from tessera_cloud.adapters.star_catalogue import MastStars, NoStars
from tessera_cloud.adapters.step_functions import StepFunctions
from tessera_cloud.adapters.web import fetch
from tessera_cloud.application.caches import (
    AnswerCache,
    CubeCache,
    ImageCache,
    IndexCache,
    ListCache,
    ShareCache,
    SwitchCache,
)
from tessera_cloud.patience import Pace, Patience, task_pace
from tessera_cloud.ports import (
    Alarms,
    Ephemerides,
    Executions,
    NameResolver,
    ObjectStore,
    Queue,
    ResultLinks,
    StarCatalogue,
    StarPlaces,
    StateStore,
)
from tessera_cloud.settings import PUBLIC_REGION, Settings

USER_AGENT = f"tessera/{__version__}"
"""User-Agent of our requests, by which owners of buckets recognise us."""
_STARS_SECONDS = 8.0
"""Longest time for the positions of a thousand stars. The API answers within 29 seconds."""


def _control_client(service: str) -> Any:
    """Client of a service whose requests are small and whose answers are quick."""
    retries: Any = {"mode": "standard", "max_attempts": 6}
    config = Config(retries=retries, connect_timeout=5, read_timeout=10, user_agent_extra=USER_AGENT)
    return boto3.client(service, config=config)


def open_state(settings: Settings) -> StateStore:
    """Open the shared records, with the credentials, region and endpoint of the environment."""
    return DynamoDbState(_control_client("dynamodb"), settings.state_table)


def open_queue(settings: Settings) -> Queue:
    """Open the queue of ingest."""
    return SqsQueue(_control_client("sqs"), settings.ingest_queue_url)


def open_executions() -> Executions:
    """Open the executions of the state machines."""
    return StepFunctions(_control_client("stepfunctions"))


def open_links(settings: Settings) -> ResultLinks:
    """Open the links to results."""
    client = _control_client("s3")
    return BucketLinks(client, settings.result_bucket, client.meta.partition)


def open_alarms() -> Alarms:
    """Open the alarms of the metrics."""
    return CloudWatchAlarms(_control_client("cloudwatch"))


def open_ephemerides(settings: Settings) -> Ephemerides:
    """Open JPL Horizons."""
    return Horizons(settings.horizons_url, clock=time.monotonic)


def open_public_store(settings: Settings) -> ObjectStore:
    """Open the buckets of images without credentials."""
    return open_s3_store(public=settings.image_buckets)


def open_names(settings: Settings) -> NameResolver:
    """Open MAST's resolver, or a short list of names if no address is set."""
    return MastResolver(settings.names_url, clock=time.monotonic) if settings.names_url else BundledNames()


def open_stars(settings: Settings) -> StarCatalogue:
    """Open MAST's catalogue of stars, or an empty one if no address is set."""
    return MastStars(settings.stars_url, clock=time.monotonic) if settings.stars_url else NoStars()


def open_star_places(settings: Settings) -> StarPlaces | None:
    """Open MAST's catalogue of positions; None if no address is set."""
    return MastTic(settings.stars_url, _STARS_SECONDS) if settings.stars_url else None


def utc_now() -> datetime.datetime:
    """Current time in UTC, by the clock of this machine."""
    return datetime.datetime.now(datetime.UTC)


def new_token() -> str:
    """Secret that nobody can guess."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True)
class Services:
    """Ports, settings and clock that a handler gives to a use case. Ports that few handlers need open at first use."""

    store: ObjectStore
    settings: Settings
    cubes: CubeCache
    clock: Callable[[], datetime.datetime]
    open_state: Callable[[Settings], StateStore] = open_state
    open_queue: Callable[[Settings], Queue] = open_queue
    open_executions: Callable[[], Executions] = open_executions
    open_links: Callable[[Settings], ResultLinks] = open_links
    open_alarms: Callable[[], Alarms] = open_alarms
    open_ephemerides: Callable[[Settings], Ephemerides] = open_ephemerides
    open_names: Callable[[Settings], NameResolver] = open_names
    open_stars: Callable[[Settings], StarCatalogue] = open_stars
    open_star_places: Callable[[Settings], StarPlaces | None] = open_star_places
    open_public_store: Callable[[Settings], ObjectStore] = open_public_store
    new_token: Callable[[], str] = new_token
    fetch: Callable[[str, float], tuple[int, bytes]] = fetch
    index: IndexCache = field(default_factory=IndexCache)
    images: ImageCache = field(default_factory=ImageCache)
    answers: AnswerCache = field(default_factory=AnswerCache)
    lists: ListCache = field(default_factory=ListCache)
    switch: SwitchCache = field(default_factory=SwitchCache)
    shares: ShareCache = field(default_factory=ShareCache)

    @cached_property
    def public_store(self) -> ObjectStore:
        """Objects in public buckets, read without credentials."""
        return self.open_public_store(self.settings)

    @cached_property
    def state(self) -> StateStore:
        """Shared records."""
        return self.open_state(self.settings)

    @cached_property
    def queue(self) -> Queue:
        """Queue of messages to ingest."""
        return self.open_queue(self.settings)

    @cached_property
    def executions(self) -> Executions:
        """Executions of the state machines."""
        return self.open_executions()

    @cached_property
    def links(self) -> ResultLinks:
        """Links to results."""
        return self.open_links(self.settings)

    @cached_property
    def alarms(self) -> Alarms:
        """Alarms of the metrics."""
        return self.open_alarms()

    @cached_property
    def ephemerides(self) -> Ephemerides:
        """Positions of moving targets."""
        return self.open_ephemerides(self.settings)

    @cached_property
    def names(self) -> NameResolver:
        """Positions of stars and galaxies."""
        return self.open_names(self.settings)

    @cached_property
    def stars(self) -> StarCatalogue:
        """Catalogue of stars."""
        return self.open_stars(self.settings)

    @cached_property
    def star_places(self) -> StarPlaces | None:
        """Positions of many stars at once."""
        return self.open_star_places(self.settings)

    def now(self) -> datetime.datetime:
        """Current time in UTC."""
        return self.clock()

    def pace_of(self, rate: float) -> Pace:
        """Pace of a task that may send `rate` requests per second."""
        return Pace(rate, clock=time.monotonic, sleep=time.sleep)

    def pace(self, tasks: int) -> Pace:
        """Pace of one task, if `tasks` tasks of a build read frames at the same time."""
        per_build = self.settings.max_gets_per_second
        return task_pace(per_build, tasks, clock=time.monotonic, sleep=time.sleep)


def open_s3_store(
    patience: Patience | None = None, timeout: str = "30s", public: frozenset[str] = frozenset()
) -> S3Store:
    """Open an S3 store with the credentials, region and endpoint of the environment.

    Parameters
    ----------
    patience : Patience, optional
        Rules for repeated requests.
    timeout : str, optional
        Longest time of one GET. A range or a small object takes seconds.
    public : frozenset of str, optional
        Buckets that are read without credentials.
    """
    patience = patience or _usual_patience()
    return S3Store(
        boto3.client("s3", config=client_config(_endpoint(), USER_AGENT, signature_version="s3v4")),
        lambda bucket: _open_bucket(bucket, timeout, public=bucket in public),
        patience,
        open_public=open_public_client,
        public=public,
    )


def writer_of(client: Any) -> S3Store:
    """S3 store over a client of the caller, for all but GET requests: obstore knows the environment only."""
    return S3Store(client, lambda bucket: bucket, _usual_patience())


def _usual_patience() -> Patience:
    return Patience(8, 0.25, 8.0, time.sleep, random.SystemRandom().uniform)


def open_public_client(**more: Any) -> Any:
    """Client that sends no credentials. So a public bucket can be read on machines that have none.

    Parameters
    ----------
    **more
        Options of botocore's `Config` instead of the usual ones.
    """
    endpoint = _public_endpoint()
    config = client_config(endpoint, USER_AGENT, signature_version=UNSIGNED, **more)
    return boto3.client("s3", region_name=PUBLIC_REGION, endpoint_url=endpoint, config=config)


def _endpoint() -> str | None:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


def _public_endpoint() -> str | None:
    """Endpoint of public buckets. On one machine they may be the real ones while all other buckets are local."""
    return os.environ.get("TESSERA_PUBLIC_ENDPOINT_URL") or _endpoint()


def _open_bucket(bucket: str, timeout: str, *, public: bool = False) -> ObstoreBucket:
    """Open a bucket for reading, without retries, because `Patience` repeats requests."""
    region = PUBLIC_REGION if public else os.environ.get("AWS_REGION", "us-east-1")
    options: dict[str, Any] = {"region": region, "skip_signature": public}
    if endpoint := _public_endpoint() if public else _endpoint():
        # obstore also reads the environment itself, and there prefers the endpoint of the service. Hence this name.
        options |= {"aws_endpoint_url_s3": endpoint, "virtual_hosted_style_request": False}
    client: Any = {"allow_http": True, "timeout": timeout, "connect_timeout": "5s", "user_agent": USER_AGENT}
    retry: Any = {"max_retries": 0, "retry_timeout": datetime.timedelta(0)}
    return ObstoreBucket(bucket, client_options=client, retry_config=retry, **options)


@cache
def services() -> Services:
    """Services of this execution environment, opened at the first call. With a secret, its records are signed."""
    settings = Settings.from_env(os.environ)
    if settings.signing_secret:
        sign_with(partial(signing_key, settings.signing_secret))
    return services_of(settings)


@cache
def signing_key(secret: str) -> SigningKey:
    """The operator's key in a secret, which is read once in an execution environment."""
    return SecretsManager(_control_client("secretsmanager")).read_key(secret)


def services_of(settings: Settings) -> Services:
    """Services with these settings, and with the credentials, region and endpoint of the environment."""
    return Services(open_s3_store(public=settings.public_buckets), settings, CubeCache(), utc_now)


def adopt_profile(region: str | None = None) -> boto3.Session:
    """Give this process the credentials and the region of the operator's profile.

    boto3 reads profiles, but obstore reads the environment only. So what boto3 found is put there.

    Parameters
    ----------
    region : str, optional
        Region to use instead of the profile's.
    """
    session = boto3.Session(region_name=region)
    found = session.get_credentials()
    keys = found.get_frozen_credentials() if found else None
    region = session.region_name
    names = {
        "AWS_ACCESS_KEY_ID": keys and keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys and keys.secret_key,
        "AWS_SESSION_TOKEN": keys and keys.token,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }
    os.environ |= {name: value for name, value in names.items() if value}
    return session


Provider: TypeAlias = Callable[[], Services]
"""Returns the services of a handler: `services`, or a replacement in a test."""
