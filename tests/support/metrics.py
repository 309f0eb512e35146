"""Samples of metrics: AWS's own, under the names that AWS documents, and those that our code prints."""

from collections.abc import Iterable, Iterator

from tests.support.alarms import Sample

DOCUMENTED: dict[str, tuple[set[str], list[set[str]]]] = {
    "AWS/States": (
        {
            "ExecutionsStarted",
            "ExecutionsSucceeded",
            "ExecutionsFailed",
            "ExecutionsTimedOut",
            "ExecutionsAborted",
            "ExecutionThrottled",
        },
        [{"StateMachineArn"}],
    ),
    "AWS/Lambda": (
        {"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"},
        [{"FunctionName"}, {"FunctionName", "Resource"}, set()],
    ),
    "AWS/ApiGateway": ({"Count", "4XXError", "5XXError", "Latency", "IntegrationLatency"}, [{"ApiName", "Stage"}]),
    "AWS/Events": ({"Invocations", "FailedInvocations", "TriggeredRules"}, [{"RuleName"}]),
    "AWS/SQS": (
        {"ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesDelayed", "ApproximateAgeOfOldestMessage"},
        [{"QueueName"}],
    ),
    "AWS/CloudFront": (
        {"Requests", "BytesDownloaded", "4xxErrorRate", "5xxErrorRate"},
        [{"DistributionId", "Region"}],
    ),
    "AWS/S3": ({"BytesDownloaded", "GetRequests"}, [{"BucketName", "FilterId"}]),
    "AWS/WAFV2": ({"BlockedRequests", "AllowedRequests"}, [{"WebACL", "Region", "Rule"}, {"WebACL", "Rule"}]),
}
"""Metrics and sets of dimensions by namespace, from AWS's guides. API Gateway has more dimensions only for detailed
metrics, which are off. A web ACL of CloudFront has no region."""


def machine(name: str, metric: str, at: float, value: float = 1) -> Sample:
    """A metric of a state machine, which the alarms call by the name of their parameter."""
    return Sample("AWS/States", metric, value, at, {"StateMachineArn": f"{name}StateMachineArn"})


def function(name: str, metric: str, at: float, value: float = 1) -> Sample:
    """A metric of a function."""
    return Sample("AWS/Lambda", metric, value, at, {"FunctionName": f"{name}FunctionName"})


def rule(name: str, metric: str, at: float, value: float = 1) -> Sample:
    """A metric of a rule of EventBridge, such as a clock."""
    return Sample("AWS/Events", metric, value, at, {"RuleName": f"{name}Name"})


def requests(api: str, at: float, answered: int, failed: int = 0, wrong: int = 0) -> Iterator[Sample]:
    """What API Gateway counts for requests to one of the APIs: each request is a sample of 0 or 1."""
    dimensions = {"ApiName": f"{api}Name", "Stage": "prod"}
    for name, bad in (("5XXError", failed), ("4XXError", wrong)):
        yield from (Sample("AWS/ApiGateway", name, float(n < bad), at, dimensions) for n in range(answered))


def every(seconds: float, start: float, end: float) -> Iterable[float]:
    """Times of a schedule."""
    return (start + seconds * n for n in range(int((end - start) // seconds) + 1))
