"""Links to results in a bucket, which a statement of the bucket's policy can refuse."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from tessera_cloud.adapters.aws_errors import call, code_of
from tessera_cloud.errors import FatalError

SID = "RefuseLinksWhilePaused"
"""Id of the statement."""
_VERSION = "2012-10-17"


def refusal(bucket: str, partition: str) -> dict[str, Any]:
    """Statement that refuses presigned links. Functions, which sign their requests in a header, may go on reading."""
    return {
        "Sid": SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:{partition}:s3:::{bucket}/*",
        "Condition": {"StringEquals": {"s3:authType": "REST-QUERY-STRING"}},
    }


def _others(policy: Mapping[str, Any]) -> list[Any]:
    return [each for each in policy["Statement"] if each.get("Sid") != SID]


class BucketLinks:
    """Presigned links to the objects of a bucket.

    S3 checks the policy at every request, so links that were given out before stop as well. A download that has begun
    goes on. The other statements of the policy stay as they are. CloudFormation writes the policy again only if the
    template's policy changes; `close` may be called again at any time.

    Parameters
    ----------
    client : boto3 S3 client
        Client with standard retries.
    bucket : str
        Name of the bucket.
    partition : str, optional
        Partition of AWS, such as ``aws-cn``.
    """

    def __init__(self, client: Any, bucket: str, partition: str = "aws") -> None:
        self._client = client
        self._bucket = bucket
        self._partition = partition

    def close(self) -> None:
        """See `ResultLinks.close`."""
        policy = self._read()
        wanted = refusal(self._bucket, self._partition)
        if wanted not in policy["Statement"]:
            self._write(policy | {"Statement": [*_others(policy), wanted]})

    def open(self) -> None:
        """See `ResultLinks.open`."""
        policy = self._read()
        others = _others(policy)
        if others == policy["Statement"]:
            return
        if others:
            self._write(policy | {"Statement": others})
            return
        what = f"delete the policy of {self._bucket}"  # S3 takes no policy without statements
        call(what, self._client.delete_bucket_policy, Bucket=self._bucket)

    def _read(self) -> dict[str, Any]:
        what = f"read the policy of {self._bucket}"
        try:
            answer = call(what, self._client.get_bucket_policy, Bucket=self._bucket)
        except FatalError as error:
            if isinstance(error.__cause__, ClientError) and code_of(error.__cause__) == "NoSuchBucketPolicy":
                return {"Version": _VERSION, "Statement": []}
            raise
        policy: dict[str, Any] = json.loads(answer["Policy"])
        if not isinstance(policy["Statement"], list):
            policy["Statement"] = [policy["Statement"]]
        return policy

    def _write(self, policy: Mapping[str, Any]) -> None:
        what = f"write the policy of {self._bucket}"
        call(what, self._client.put_bucket_policy, Bucket=self._bucket, Policy=json.dumps(policy))
