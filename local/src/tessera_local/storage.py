"""Makes the template's buckets, queues and tables, and deletes expired objects, which S3 does by itself."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tessera_local.template.deployed import Bucket, Queue, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import LifecycleRuleTypeDef
    from mypy_boto3_sqs import SQSClient

_QUEUE_ATTRIBUTES = ("VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds")
_TABLE_PROPERTIES = ("KeySchema", "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes")


def create_queues(sqs: "SQSClient", queues: Iterable[Queue]) -> None:
    """Create the queues. Queues of dead letters come first."""
    for queue in sorted(queues, key=lambda queue: "RedrivePolicy" in queue.properties):
        attributes = {name: str(queue.properties[name]) for name in _QUEUE_ATTRIBUTES if name in queue.properties}
        if "RedrivePolicy" in queue.properties:
            attributes["RedrivePolicy"] = json.dumps(queue.properties["RedrivePolicy"])
        sqs.create_queue(QueueName=queue.name, Attributes=attributes)  # type: ignore[arg-type]  # names are AWS's


def create_tables(dynamodb: "DynamoDBClient", tables: Iterable[Table]) -> None:
    """Create the tables."""
    for table in tables:
        properties = {name: table.properties[name] for name in _TABLE_PROPERTIES if name in table.properties}
        dynamodb.create_table(TableName=table.name, **properties)
        if expiry := table.properties.get("TimeToLiveSpecification"):
            dynamodb.update_time_to_live(TableName=table.name, TimeToLiveSpecification=expiry)


def create_buckets(s3: "S3Client", buckets: Iterable[Bucket]) -> None:
    """Create missing buckets, and set the lifecycle rules, notifications and rules for other origins of all."""
    present = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    for bucket in buckets:
        if bucket.name not in present:
            s3.create_bucket(Bucket=bucket.name)
        if bucket.lifecycle_rules:
            rules = [lifecycle_rule(rule) for rule in bucket.lifecycle_rules]
            s3.put_bucket_lifecycle_configuration(Bucket=bucket.name, LifecycleConfiguration={"Rules": rules})
        if bucket.cors_rules:
            origins: Any = {"CORSRules": [cors_rule(rule) for rule in bucket.cors_rules]}
            s3.put_bucket_cors(Bucket=bucket.name, CORSConfiguration=origins)
        if bucket.notifications:
            to_queues: Any = {"QueueConfigurations": [notification(entry) for entry in bucket.notifications]}
            s3.put_bucket_notification_configuration(Bucket=bucket.name, NotificationConfiguration=to_queues)


def cors_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Translate a rule for other origins from CloudFormation's form to that of S3."""
    names = {"ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds", "Id": "ID"}
    return {names.get(name, name): value for name, value in rule.items()}


def notification(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Translate a notification from CloudFormation's form to that of S3."""
    translated: dict[str, Any] = {"QueueArn": entry["Queue"], "Events": [entry["Event"]]}
    if rules := entry.get("Filter", {}).get("S3Key", {}).get("Rules"):
        translated["Filter"] = {"Key": {"FilterRules": rules}}
    return translated


def lifecycle_rule(rule: Mapping[str, Any]) -> "LifecycleRuleTypeDef":
    """Translate a lifecycle rule from CloudFormation's form to that of S3."""
    translated: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        translated["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        translated["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    if upload := rule.get("AbortIncompleteMultipartUpload"):
        translated["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": int(upload["DaysAfterInitiation"])}
    return translated  # type: ignore[return-value]  # built key by key


def expire_objects(s3: "S3Client", buckets: Iterable[Bucket], now: datetime) -> int:
    """Delete objects that have expired under the lifecycle rules, and return their number."""
    deleted = 0
    for bucket in buckets:
        for rule in bucket.lifecycle_rules:
            if rule["Status"] == "Enabled" and "ExpirationInDays" in rule:
                oldest = now - timedelta(days=int(rule["ExpirationInDays"]))
                deleted += _delete_older(s3, bucket.name, str(rule.get("Prefix", "")), oldest)
    return deleted


def _delete_older(s3: "S3Client", bucket: str, prefix: str, oldest: datetime) -> int:
    deleted = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        old = [item["Key"] for item in page.get("Contents", []) if item["LastModified"] < oldest]
        for key in old:
            s3.delete_object(Bucket=bucket, Key=key)
        deleted += len(old)
    return deleted
