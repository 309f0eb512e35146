"""Parameters that could only fail later, or cost others, are refused before anything is created."""

import re

import pytest

from tests.support.expanded import is_true, values_of
from tests.template.documents import load
from tests.template.test_edge import API, PAGE


def refused(**given: str) -> list[str]:
    """Names of the rules that refuse a deployment."""
    document = load()
    values = values_of(document, dict(given))
    return [
        name
        for name, rule in document["Rules"].items()
        for each in rule["Assertions"]
        if not is_true(each["Assert"], document, values)
    ]


@pytest.mark.parametrize(
    ("given", "by"),
    [
        ({}, []),
        ({"AWS::Region": "eu-west-1"}, ["RegionOfPublicBucket"]),
        ({"AWS::Region": "eu-west-1", "OtherRegion": "yes"}, []),
        ({"AWS::Region": "us-gov-west-1", "AWS::Partition": "aws-us-gov", "OtherRegion": "yes"}, ["StandardPartition"]),
        ({"AWS::Region": "cn-north-1", "AWS::Partition": "aws-cn", "OtherRegion": "yes"}, ["StandardPartition"]),
        ({"PageDomain": "tess.example.org"}, ["PageCertificate"]),
        ({"ApiDomain": "api.example.org"}, ["ApiCertificate"]),
        ({"PageCertificateArn": PAGE["PageCertificateArn"]}, ["PageCertificate"]),
        ({"ApiCertificateArn": API["ApiCertificateArn"]}, ["ApiCertificate"]),
        (PAGE | API | {"ApiDomain": "tess.example.org"}, ["TwoDomains"]),
        (PAGE | API, []),
    ],
)
def test_a_deployment_that_would_fail_or_cost_others_is_refused_at_once(given: dict[str, str], by: list[str]) -> None:
    assert refused(**given) == by


def test_a_rule_says_what_is_wrong_and_what_is_allowed() -> None:
    for rule in load()["Rules"].values():
        for each in rule["Assertions"]:
            assert re.fullmatch(r"[^;]+; allowed[^;]+\.", each["AssertDescription"])


@pytest.mark.parametrize(
    ("parameter", "value", "is_allowed"),
    [
        ("PageDomain", "tess.example.org", True),
        ("PageDomain", "https://tess.example.org", False),
        ("PageDomain", "tess", False),
        ("ApiDomain", "api.example.org/", False),
        ("PageCertificateArn", "arn:aws:acm:eu-west-1:123456789012:certificate/x", False),
        ("ApiCertificateArn", "arn:aws:acm:eu-west-1:123456789012:certificate/x", True),
        ("ImageBuckets", "plates", True),
        ("ImageBuckets", "plates,other.plates", True),
        ("ImageBuckets", "plates, other", False),
        ("ImageBuckets", "plates,", False),
        ("ImageBuckets", "*", False),
        ("FrameBucket", "s3://stpubdata", False),
        ("FrameBucket", "stpubdata", True),
        ("CubeSources", "stpubdata/tess/public/mast,mine", True),
        ("CubeSources", "s3://stpubdata/tess", False),
        ("PublishedFootprints", "stpubdata", False),
        ("PublishedFootprints", "stpubdata/a/b.json", True),
    ],
)
def test_a_value_that_could_only_fail_later_is_refused_at_once(parameter: str, value: str, *, is_allowed: bool) -> None:
    pattern = load()["Parameters"][parameter]["AllowedPattern"]

    assert bool(re.fullmatch(pattern, value)) == is_allowed
    assert re.fullmatch(pattern, "")
