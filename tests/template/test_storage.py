"""Buckets are private, encrypted, and drop what nobody needs."""

import pytest

from tests.template.documents import Json, as_list, load_template, resources

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
    (statement,) = policies[0]["PolicyDocument"]["Statement"]

    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert as_list(statement["Resource"]) == [{"Fn::GetAtt": [name, "Arn"]}, {"Fn::Sub": f"${{{name}.Arn}}/*"}]


@each_bucket
def test_unfinished_uploads_end(name: str) -> None:
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules(name).values())


def test_frames_and_cubes_outlive_the_stack() -> None:
    bodies = load_template()["Resources"]

    assert all(bodies[name]["DeletionPolicy"] == "Retain" for name in ("FfiBucket", "CubeBucket"))


def test_build_records_go_after_a_month_and_cubes_stay() -> None:
    rule = rules("CubeBucket")["ExpireBuildRecords"]

    assert (rule["Prefix"], rule["ExpirationInDays"]) == ("builds/", 30)
    assert all(rule.get("Prefix") == "builds/" for rule in rules("CubeBucket").values() if "ExpirationInDays" in rule)


def test_results_go_after_a_day() -> None:
    assert rules("ResultBucket")["ExpireResults"]["ExpirationInDays"] == 1
