"""Buckets are private, encrypted, and drop what nobody needs."""

import pytest

from tessera_cloud import keys
from tests.template.documents import Json, all_resources, as_list, load, resources

each_bucket = pytest.mark.parametrize("name", resources("AWS::S3::Bucket"))


def rules(name: str) -> dict[str, Json]:
    return {rule["Id"]: rule for rule in resources("AWS::S3::Bucket")[name]["LifecycleConfiguration"]["Rules"]}


@each_bucket
def test_a_bucket_is_private_and_encrypted(name: str) -> None:
    bucket = resources("AWS::S3::Bucket")[name]

    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert bucket["BucketEncryption"]


@each_bucket
def test_a_bucket_refuses_plain_http(name: str) -> None:
    policies = [body for body in resources("AWS::S3::BucketPolicy").values() if body["Bucket"] == {"Ref": name}]
    (statement,) = [each for each in policies[0]["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"]

    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert as_list(statement["Resource"]) == [{"Fn::GetAtt": [name, "Arn"]}, {"Fn::Sub": f"${{{name}.Arn}}/*"}]


@each_bucket
def test_unfinished_uploads_end(name: str) -> None:
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules(name).values())


def test_frames_cubes_and_state_outlive_the_stack() -> None:
    bodies = all_resources()

    assert all(bodies[name]["DeletionPolicy"] == "Retain" for name in ("FfiBucket", "CubeBucket", "StateTable"))


def test_build_records_go_after_a_month_and_cubes_stay() -> None:
    rule = rules("CubeBucket")["ExpireBuildRecords"]

    assert (rule["Prefix"], rule["ExpirationInDays"]) == ("builds/", 30)
    expiring = {rule.get("Prefix") for rule in rules("CubeBucket").values() if "ExpirationInDays" in rule}
    assert expiring == {"builds/", "index/runs/"}


def test_results_go_after_a_day_and_lists_when_the_operator_says() -> None:
    """S3 obeys the shortest of all rules that fit an object, so no rule may be for all objects."""
    expiring = {
        rule.get("Prefix"): rule["ExpirationInDays"] for rule in rules("ResultBucket").values() if "Prefix" in rule
    }
    days = {"Ref": "BulkDays"}

    assert expiring == {
        "results/": 1,
        "previews/": 1,
        "ephemerides/": 1,
        "jobs/": 1,
        "bulk/": days,
        "uploads/": days,
    }
    assert [rule["Id"] for rule in rules("ResultBucket").values() if "Prefix" not in rule] == ["DropUnfinishedUploads"]


def test_each_object_of_the_bucket_of_results_expires() -> None:
    """Each prefix that code writes there has a rule."""
    prefixes = {rule["Prefix"] for rule in rules("ResultBucket").values() if "Prefix" in rule}
    made = {
        keys.result("x"),
        keys.claim("x"),
        keys.preview("x"),
        keys.job("x"),
        keys.ephemeris("x"),
        keys.image_result("x", ".zip"),
        keys.upload("x"),
        keys.bulk("x"),
    }

    assert {f"{key.partition('/')[0]}/" for key in made} == prefixes


def test_pages_of_other_addresses_may_read_results_and_use_upload_links_and_nothing_else() -> None:
    buckets = resources("AWS::S3::Bucket")
    assert [name for name, body in buckets.items() if "CorsConfiguration" in body] == ["ResultBucket"]
    (rule,) = buckets["ResultBucket"]["CorsConfiguration"]["CorsRules"]

    assert (rule["AllowedOrigins"], rule["AllowedMethods"]) == (["*"], ["GET", "HEAD", "PUT"])
    assert {"ETag", "Content-Disposition"} <= set(rule["ExposedHeaders"])


def test_records_can_be_restored_and_expire() -> None:
    (table,) = resources("AWS::DynamoDB::Table").values()

    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [
        ("kind", "HASH"),
        ("name", "RANGE"),
    ]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_every_queue_is_encrypted_and_messages_that_fail_are_kept() -> None:
    queues = resources("AWS::SQS::Queue")
    dead = {
        body["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for body in queues.values()
        if "Redrive" in str(body)
    }

    assert all(body["SqsManagedSseEnabled"] for body in queues.values())
    assert dead == {name for name in queues if "DeadLetter" in name}
    assert all(queues[name]["MessageRetentionPeriod"] == 14 * 86_400 for name in dead)


def test_new_and_removed_frames_reach_the_queue() -> None:
    bucket = all_resources()["FfiBucket"]
    found = bucket["Properties"]["NotificationConfiguration"]["QueueConfigurations"]

    outputs = load("stacks/queue.yaml")["Outputs"]
    assert outputs["IngestQueueArn"]["Value"] == {"Fn::GetAtt": ["IngestQueue", "Arn"]}, "it ends after its policy"
    assert [entry["Event"] for entry in found] == ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
    assert all(entry["Queue"] == {"Fn::GetAtt": ["QueueStack", "Outputs.IngestQueueArn"]} for entry in found)


def test_only_s3_of_the_account_and_the_named_topic_may_send() -> None:
    (policy,) = resources("AWS::SQS::QueuePolicy").values()
    own, announced, deny = policy["PolicyDocument"]["Statement"]

    assert own["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert announced["Fn::If"][0] == "HasMastTopic"
    assert announced["Fn::If"][1]["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "MastTopicArn"}}}
    assert (deny["Effect"], deny["Principal"]) == ("Deny", "*")
