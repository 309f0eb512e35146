"""The page is private files behind one distribution, with the API at the same address, and nothing runs inline."""

import re
from fnmatch import fnmatchcase

import pytest

from tests.template.documents import ROOT, Json, functions, load, resources

DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # CloudFront's managed policy CachingDisabled
ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"  # AllViewerExceptHostHeader


def distribution() -> Json:
    (found,) = resources("AWS::CloudFront::Distribution").values()
    config: Json = found["DistributionConfig"]
    return config


def policy() -> dict[str, str]:
    found = resources("AWS::CloudFront::ResponseHeadersPolicy")["PageHeaders"]
    text = found["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]["ContentSecurityPolicy"]
    return dict(part.strip().split(" ", 1) for part in text["ContentSecurityPolicy"]["Fn::Sub"].split(";"))


def behaviours_of_the_api() -> list[Json]:
    return [each for each in distribution()["CacheBehaviors"] if each["TargetOriginId"] != "page"]


def api_paths() -> set[str]:
    events = [event for body in functions().values() for event in body.get("Events", {}).values()]
    return {event["Properties"]["Path"] for event in events if event["Type"] == "Api"}


def test_each_path_of_the_api_but_the_root_reaches_the_api() -> None:
    patterns = [behaviour["PathPattern"] for behaviour in distribution()["CacheBehaviors"]]

    missed = {path for path in api_paths() if not any(fnmatchcase(path, pattern) for pattern in patterns)}
    assert missed == {"/"}, "stacks/page.yaml: CacheBehaviors needs a PathPattern for each of these but the root"


def test_a_path_reaches_the_api_that_has_it() -> None:
    behaviours = distribution()["CacheBehaviors"]
    for body in functions().values():
        for event in body.get("Events", {}).values():
            path = event["Properties"].get("Path", "/")
            if path != "/":
                first = next(each for each in behaviours if fnmatchcase(path, each["PathPattern"]))
                of_images = event["Properties"]["RestApiId"] == {"Ref": "ImageApi"}
                assert (first["TargetOriginId"] == "images") == of_images


def test_no_file_of_the_page_is_hidden_by_the_api() -> None:
    patterns = [behaviour["PathPattern"] for behaviour in behaviours_of_the_api()]
    folder = ROOT / "page"
    files = [f"/{path.relative_to(folder)}" for path in folder.rglob("*") if path.is_file()]

    assert "/index.html" in files
    assert [name for name in files if any(fnmatchcase(name, pattern) for pattern in patterns)] == []


def test_answers_of_the_api_are_not_kept_and_its_host_is_its_own() -> None:
    for behaviour in behaviours_of_the_api():
        assert behaviour["TargetOriginId"] in {"api", "images"}
        assert (behaviour["CachePolicyId"], behaviour["OriginRequestPolicyId"]) == (DISABLED, ALL_BUT_HOST)
        assert {"POST", "DELETE"} <= set(behaviour["AllowedMethods"])
        assert "ResponseHeadersPolicyId" not in behaviour


def test_people_come_by_https_only() -> None:
    behaviours = [distribution()["DefaultCacheBehavior"], *distribution()["CacheBehaviors"]]

    assert {behaviour["ViewerProtocolPolicy"] for behaviour in behaviours} == {"redirect-to-https"}


def test_only_the_distribution_reads_the_files() -> None:
    statements = resources("AWS::S3::BucketPolicy")["PageBucketPolicy"]["PolicyDocument"]["Statement"]
    allowed = [statement for statement in statements if statement["Effect"] == "Allow"]

    assert {statement["Action"] for statement in allowed} == {"s3:GetObject", "s3:ListBucket"}
    for statement in allowed:
        assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        assert "${PageDistribution}" in str(statement["Condition"]["StringEquals"]["AWS:SourceArn"])


def test_pages_of_other_addresses_may_read_the_files_and_send_no_credentials() -> None:
    found = resources("AWS::CloudFront::ResponseHeadersPolicy")["PageHeaders"]
    origins = found["ResponseHeadersPolicyConfig"]["CorsConfig"]

    assert origins["AccessControlAllowOrigins"] == {"Items": ["*"]}
    assert origins["AccessControlAllowCredentials"] is False


def test_the_policy_lets_nothing_in_that_is_not_of_the_page() -> None:
    found = policy()

    assert found["default-src"] == "'none'"
    assert {name: found[name] for name in ("base-uri", "form-action", "frame-ancestors")} == dict.fromkeys(
        ("base-uri", "form-action", "frame-ancestors"), "'none'"
    )
    sources = {name: value for name, value in found.items() if name.endswith("-src") and name != "default-src"}
    own, *uploads, hub = sources.pop("connect-src").split()
    assert {own, *sources.values()} == {"'self'"}
    hosts = ("${ResultBucket}.s3.${AWS::URLSuffix}", "${ResultBucket}.s3.${AWS::Region}.${AWS::URLSuffix}")
    assert uploads == [f"https://{host}/uploads/" for host in hosts]
    assert hub == "http://localhost:21012/"  # SAMP's, on the visitor's own computer
    assert distribution()["DefaultCacheBehavior"]["ResponseHeadersPolicyId"] == {"Ref": "PageHeaders"}


def test_a_program_of_others_runs_only_in_a_sandbox_without_our_origin() -> None:
    (sky,) = (each for each in distribution()["CacheBehaviors"] if each["TargetOriginId"] == "page")
    assert (sky["PathPattern"], sky["ResponseHeadersPolicyId"]) == ("/sky.html", {"Ref": "SkyHeaders"})
    headers = resources("AWS::CloudFront::ResponseHeadersPolicy")["SkyHeaders"]["ResponseHeadersPolicyConfig"]
    text = headers["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    found = {words[0]: words[1:] for words in (part.split() for part in text.split(";"))}

    assert "allow-scripts" in found["sandbox"]
    assert "allow-same-origin" not in found["sandbox"]
    assert found["default-src"] == ["'none'"]
    assert found["script-src"] == ["'self'", "https://aladin.cds.unistra.fr", "'wasm-unsafe-eval'"]
    assert "CorsConfig" not in headers


@pytest.mark.parametrize("name", ["index.html", "sky.html"])
def test_the_page_has_nothing_inline(name: str) -> None:
    html = (ROOT / "page" / name).read_text(encoding="utf-8")

    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:|https?://", html) == []
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", html))


def test_the_folder_that_is_published_is_the_page() -> None:
    bucket = load("stacks/page.yaml")["Resources"]["PageBucket"]

    assert (ROOT / "stacks" / bucket["Metadata"]["Folder"]).resolve() == ROOT / "page"
