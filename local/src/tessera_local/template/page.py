"""The page of the template: its files, and the headers that its distribution adds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tessera_local.template.documents import BUCKET, Document

_AWS_BUCKET = re.compile(r"https://([\w-]+)\.s3\.(?:[\w-]+\.)?amazonaws\.com")


@dataclass(frozen=True)
class Page:
    """A folder of static files, and the rules of its distribution."""

    folder: Path
    headers: Mapping[str, str]
    """Headers of each answer."""
    api_patterns: tuple[str, ...]
    """Path patterns of the API, with ``*`` for any text. Other paths are files."""
    special_headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Headers of files that have others, by path."""

    def headers_of(self, path: str) -> Mapping[str, str]:
        """Headers of the answer for a path."""
        return self.special_headers.get(path, self.headers)

    def with_storage(self, endpoint: str) -> "Page":
        """The page with a policy that names the buckets at `endpoint` instead of the buckets on AWS."""
        headers = {name: _AWS_BUCKET.sub(rf"{endpoint}/\1", value) for name, value in self.headers.items()}
        return replace(self, headers=headers)


def page_of(document: Document, spec: dict[str, Any]) -> Page:
    """Page of a distribution, with the folder that fills its bucket."""
    config = spec["Properties"]["DistributionConfig"]
    default = config["DefaultCacheBehavior"]
    (folder,) = (
        bucket["Metadata"]["Folder"] for _, bucket in document.of_type(BUCKET) if "Folder" in bucket.get("Metadata", {})
    )
    origin = default["TargetOriginId"]
    files = [each for each in config["CacheBehaviors"] if each["TargetOriginId"] == origin]
    patterns = tuple(str(each["PathPattern"]) for each in config["CacheBehaviors"] if each not in files)
    special = {str(each["PathPattern"]): _headers(document, each) for each in files}
    return Page((document.folder / folder).resolve(), _headers(document, default), patterns, special)


def _headers(document: Document, behaviour: dict[str, Any]) -> dict[str, str]:
    """Headers that a behaviour of a distribution adds to its answers."""
    policy = document.resources[behaviour["ResponseHeadersPolicyId"]["Ref"]]["Properties"][
        "ResponseHeadersPolicyConfig"
    ]
    security = policy["SecurityHeadersConfig"]
    origins = policy.get("CorsConfig", {}).get("AccessControlAllowOrigins", {}).get("Items", [])
    allowed = {"Access-Control-Allow-Origin": ", ".join(origins)} if origins else {}
    return allowed | {
        "Content-Security-Policy": str(document.resolve(security["ContentSecurityPolicy"]["ContentSecurityPolicy"])),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": str(security["FrameOptions"]["FrameOption"]),
        "Referrer-Policy": str(security["ReferrerPolicy"]["ReferrerPolicy"]),
    }
