"""What lies between clients and functions, as SAM expands it: stages, rates, the guard, domains, regions."""

import json
import re
import shutil
import subprocess
import tomllib
from functools import cache
from typing import Any

import pytest

from tests.support.expanded import ROOT_STACK, expanded, origin, translated
from tests.template.documents import ROOT, Json, functions, load

API_STACKS = {"ServiceStack": "CutoutApi", "ImageStack": "ImageApi"}
REQUESTS_OF_A_PAGE = 10
PAGE = {
    "PageDomain": "tess.example.org",
    "PageCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/page",
}
API = {"ApiDomain": "api.example.org", "ApiCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/api"}
FULL: dict[str, str | int] = {**PAGE, **API, "ClientRateLimit": 300, "CutoutRateLimit": "500"}
ELSEWHERE: dict[str, str | int] = {
    "AWS::Region": "eu-west-1",
    "OtherRegion": "yes",
    "ClientRateLimit": 300,
    "CutoutRateLimit": "1",
}
"""Expanding takes seconds, so all tests share three deployments: every default, and these two."""

each_api = pytest.mark.parametrize(("stack", "api"), API_STACKS.items())


def of_type(template: Json, kind: str) -> dict[str, Json]:
    return {name: body["Properties"] for name, body in template["Resources"].items() if body["Type"] == kind}


def distribution(**parameters: str | int) -> Json:
    (found,) = of_type(expanded(**parameters)["PageStack"], "AWS::CloudFront::Distribution").values()
    config: Json = found["DistributionConfig"]
    return config


# ---------------------------------------------------------------- stages and rates


def test_an_api_has_one_stage_and_no_deployment_makes_another() -> None:
    stages: list[Json] = []
    deployments: list[Json] = []
    for template in expanded().values():
        stages += of_type(template, "AWS::ApiGateway::Stage").values()
        deployments += of_type(template, "AWS::ApiGateway::Deployment").values()

    assert sorted((stage["RestApiId"]["Ref"], stage["StageName"]) for stage in stages) == [
        ("CutoutApi", "prod"),
        ("ImageApi", "prod"),
    ]
    assert len(deployments) == 2
    assert [each for each in deployments if "StageName" in each or "StageDescription" in each] == []


@each_api
def test_the_gateway_keeps_its_own_answers_and_signatures(stack: str, api: str) -> None:
    body = of_type(expanded()[stack], "AWS::ApiGateway::RestApi")[api]["Body"]
    declared = load(f"stacks/{'service' if api == 'CutoutApi' else 'images'}.yaml")["Resources"][api]["Properties"]
    signed = {path for path, methods in body["paths"].items() for each in methods.values() if each.get("security")}

    assert body["openapi"].startswith("3.")
    assert set(body["x-amazon-apigateway-gateway-responses"]) == set(declared["GatewayResponses"])
    assert body["x-amazon-apigateway-binary-media-types"] == ["*/*"]
    assert signed == ({"/v1/builds", "/v1/builds/{build}"} if api == "CutoutApi" else set())


@each_api
@pytest.mark.parametrize("parameters", [{}, ELSEWHERE, FULL], ids=["50", "1", "500"])
def test_one_page_is_never_refused_and_each_method_has_the_rate(
    stack: str, api: str, parameters: dict[str, str | int]
) -> None:
    (stage,) = of_type(expanded(**parameters)[stack], "AWS::ApiGateway::Stage").values()
    (settings,) = stage["MethodSettings"]
    rate = str(parameters.get("CutoutRateLimit", 50))

    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    assert settings["ThrottlingRateLimit"] == rate
    assert int(settings["ThrottlingBurstLimit"]) >= max(REQUESTS_OF_A_PAGE, 2 * int(rate))
    assert int(settings["ThrottlingBurstLimit"]) <= 5000, f"{api}: API Gateway allows no more to an account"


@pytest.mark.parametrize(
    ("rate", "is_allowed"),
    [("1", True), ("50", True), ("500", True), ("0", False), ("501", False), ("2.5", False), ("", False)],
)
def test_the_rate_is_a_whole_number_whose_burst_is_one_too(rate: str, *, is_allowed: bool) -> None:
    pattern = load()["Parameters"]["CutoutRateLimit"]["AllowedPattern"]

    assert bool(re.fullmatch(pattern, rate)) == is_allowed


@each_api
def test_metrics_of_single_methods_are_off_because_nothing_reads_them(stack: str, api: str) -> None:
    (stage,) = of_type(expanded()[stack], "AWS::ApiGateway::Stage").values()

    assert not any(each.get("MetricsEnabled") for each in stage["MethodSettings"]), api
    for name, template in expanded().items():
        text = json.dumps(template["Resources"])
        assert not re.search(r'AWS/ApiGateway[^]]{0,300}"(Resource|Method)\\*"', text), name


# ---------------------------------------------------------------- the guard


def matches_secret(statement: Json) -> bool:
    """Whether a statement holds for requests with the secret, as the distribution sends them, and for no other."""
    match = statement["ByteMatchStatement"]
    header = {"SingleHeader": {"Name": "x-tessera-origin"}}
    return (match["FieldToMatch"], match["PositionalConstraint"], match["SearchString"]) == (
        header,
        "EXACTLY",
        {"Ref": "OriginSecret"},
    )


def test_without_a_limit_nothing_is_guarded_and_nothing_costs() -> None:
    stacks = expanded()

    assert "GuardStack" not in stacks
    assert [kind for each in stacks.values() for kind in of_type(each, "AWS::WAFv2::WebACL")] == []
    assert "WebACLId" not in distribution()


def test_one_acl_guards_the_stages_of_both_apis() -> None:
    stacks = translated(**FULL)
    guard = expanded(**FULL)["GuardStack"]
    guarded = []
    for association in of_type(guard, "AWS::WAFv2::WebACLAssociation").values():
        assert association["WebACLArn"] == {"Fn::GetAtt": ["ApiGuard", "Arn"]}
        (parameter,) = re.findall(r"/restapis/\$\{(\w+)\}/stages/prod$", association["ResourceArn"]["Fn::Sub"])
        guarded.append(origin(stacks, "GuardStack", {"Ref": parameter}))

    assert guarded == [("ServiceStack", {"Ref": "CutoutApi"}), ("ImageStack", {"Ref": "ImageApi"})]


def test_a_direct_client_is_counted_by_its_own_address_and_a_viewer_by_his() -> None:
    acl = of_type(expanded(**FULL)["GuardStack"], "AWS::WAFv2::WebACL")["ApiGuard"]
    direct, through_page = (rule["Statement"]["RateBasedStatement"] for rule in acl["Rules"])

    assert acl["Scope"] == "REGIONAL"
    assert [direct["Limit"], through_page["Limit"]] == ["300", "300"]
    assert direct["AggregateKeyType"] == "IP"
    assert matches_secret(direct["ScopeDownStatement"]["NotStatement"]["Statement"])
    assert through_page["AggregateKeyType"] == "FORWARDED_IP"
    assert through_page["ForwardedIPConfig"] == {"HeaderName": "X-Tessera-Viewer", "FallbackBehavior": "MATCH"}
    assert matches_secret(through_page["ScopeDownStatement"])


def test_who_is_blocked_gets_our_sentence_and_the_time_to_wait() -> None:
    acls = of_type(expanded(**FULL)["GuardStack"], "AWS::WAFv2::WebACL")

    assert set(acls) == {"ApiGuard", "PageGuard"}
    for acl, rule in ((each, rule) for each in acls.values() for rule in each["Rules"]):
        answer = rule["Action"]["Block"]["CustomResponse"]
        body = acl["CustomResponseBodies"][answer["CustomResponseBodyKey"]]
        document = json.loads(body["Content"])

        assert (answer["ResponseCode"], body["ContentType"]) == (429, "APPLICATION_JSON")
        assert {"Name": "Retry-After", "Value": "300"} in answer["ResponseHeaders"]
        assert {"Name": "Access-Control-Allow-Origin", "Value": "*"} in answer["ResponseHeaders"]
        assert document["msg"] == document["error"]["message"]
        assert document["msg"].startswith("your address sent more than 300 requests in 5 minutes;")


def test_the_distribution_has_an_acl_where_aws_allows_one() -> None:
    here, there = translated(**FULL), translated(**ELSEWHERE)
    acl = of_type(expanded(**FULL)["GuardStack"], "AWS::WAFv2::WebACL")["PageGuard"]

    assert acl["Scope"] == "CLOUDFRONT"
    assert origin(here, "PageStack", {"Ref": "PageGuardArn"}) == (
        "GuardStack",
        {"Fn::GetAtt": ["PageGuard", "Arn"]},
    )
    assert distribution(**FULL)["WebACLId"] == {"Ref": "PageGuardArn"}
    assert origin(there, "PageStack", {"Ref": "PageGuardArn"})[1] == ""
    assert set(of_type(expanded(**ELSEWHERE)["GuardStack"], "AWS::WAFv2::WebACL")) == {"ApiGuard"}


def test_functions_distribution_and_guard_know_the_same_secret() -> None:
    stacks = translated(**FULL)
    secrets = [origin(stacks, name, {"Ref": "OriginSecret"}) for name in ("PageStack", "GuardStack", *API_STACKS)]
    readers = {
        name: {"Ref": "OriginSecret"}
        for stack in API_STACKS
        for name, body in of_type(stacks[stack].template, "AWS::Lambda::Function").items()
        if body["Environment"]["Variables"].get("TESSERA_ORIGIN_SECRET") == {"Ref": "OriginSecret"}
    }

    assert secrets == [secrets[0]] * 4
    assert secrets[0][1] == {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
    answers = {
        name
        for name, body in functions().items()
        if any(event["Type"] == "Api" for event in body.get("Events", {}).values())
    }
    assert answers <= set(readers)
    assert len(answers) > 2
    for name in ("PageStack", "GuardStack", *API_STACKS):
        assert stacks[name].template["Parameters"]["OriginSecret"]["NoEcho"] is True


# ---------------------------------------------------------------- the distribution


def test_each_request_to_an_api_carries_the_secret_the_viewer_and_the_host() -> None:
    config = distribution()
    origins = {each["Id"]: each for each in config["Origins"]}

    for name in ("api", "images"):
        assert origins[name]["OriginCustomHeaders"] == [
            {"HeaderName": "X-Tessera-Origin", "HeaderValue": {"Ref": "OriginSecret"}}
        ]
    for behaviour in config["CacheBehaviors"]:
        if behaviour["TargetOriginId"] == "page":
            continue
        assert behaviour["FunctionAssociations"] == [
            {"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": ["ViewerHeaders", "FunctionARN"]}}
        ]
        assert "Compress" not in behaviour, "CloudFront compresses nothing that it does not keep"
    assert "OriginCustomHeaders" not in origins["page"]


def run_viewer_function(event: Json) -> Any:
    """What the function of the distribution makes of a request."""
    return _run_viewer_function(json.dumps(event))


@cache
def _run_viewer_function(event: str) -> Any:
    code = load("stacks/page.yaml")["Resources"]["ViewerHeaders"]["Properties"]["FunctionCode"]
    program = f"{code}\nconsole.log(JSON.stringify(handler({event})))"
    done = subprocess.run([shutil.which("node") or "node", "-e", program], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_the_function_of_the_distribution_replaces_what_a_viewer_forges() -> None:
    forged = {"value": "198.51.100.1"}
    headers = {"host": {"value": "tess.example.org"}, "x-tessera-viewer": forged, "x-tessera-host": forged}
    request = {"method": "GET", "uri": "/v1/health", "querystring": {}, "headers": headers, "cookies": {}}

    sent = run_viewer_function({"viewer": {"ip": "203.0.113.9"}, "request": request})

    assert sent["headers"]["x-tessera-viewer"] == {"value": "203.0.113.9"}
    assert sent["headers"]["x-tessera-host"] == {"value": "tess.example.org"}
    assert (sent["uri"], sent["method"]) == ("/v1/health", "GET")


def test_names_at_cloudfront_fit_whatever_the_stack_is_called() -> None:
    resources = expanded()["PageStack"]["Resources"]
    names = [
        resources["PageAccess"]["Properties"]["OriginAccessControlConfig"]["Name"],
        resources["PageHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]["Name"],
        resources["SkyHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]["Name"],
        resources["ViewerHeaders"]["Properties"]["Name"],
    ]
    for name in names:
        text, values = name["Fn::Sub"]
        assert values == {"Id": {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}}
        assert len(text.replace("${Id}", "12345678-1234-1234-1234-123456789012")) <= 64


# ---------------------------------------------------------------- domains


def test_without_a_domain_the_page_has_the_name_of_cloudfront() -> None:
    assert not {"Aliases", "ViewerCertificate"} & set(distribution())
    assert "DomainStack" not in expanded()
    assert expanded()["PageStack"]["Outputs"]["PageUrl"]["Value"]["Fn::Sub"][1] == {
        "Name": {"Fn::GetAtt": ["PageDistribution", "DomainName"]}
    }


def test_the_page_has_a_domain_of_its_own_and_no_old_protocols() -> None:
    config = distribution(**FULL)

    assert config["Aliases"] == ["tess.example.org"]
    assert config["ViewerCertificate"] == {
        "AcmCertificateArn": PAGE["PageCertificateArn"],
        "SslSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    }
    assert expanded(**FULL)["PageStack"]["Outputs"]["PageUrl"]["Value"] == "https://tess.example.org"
    assert "PageDomainTarget" in expanded(**FULL)[ROOT_STACK]["Outputs"]


def test_the_apis_have_a_domain_of_their_own_with_a_path_for_images() -> None:
    stacks, domain = translated(**FULL), expanded(**FULL)["DomainStack"]
    (name,) = of_type(domain, "AWS::ApiGateway::DomainName").values()
    mappings = {
        each.get("BasePath", ""): (origin(stacks, "DomainStack", each["RestApiId"]), each["Stage"])
        for each in of_type(domain, "AWS::ApiGateway::BasePathMapping").values()
    }

    assert (name["DomainName"], name["SecurityPolicy"]) == ("api.example.org", "TLS_1_2")
    assert name["RegionalCertificateArn"] == API["ApiCertificateArn"]
    assert mappings == {
        "": (("ServiceStack", {"Ref": "CutoutApi"}), "prod"),
        "images": (("ImageStack", {"Ref": "ImageApi"}), "prod"),
    }
    assert "ApiDomainTarget" in expanded(**FULL)[ROOT_STACK]["Outputs"]
    assert "ApiDomainTarget" not in expanded()[ROOT_STACK]["Outputs"]


def test_the_path_of_images_hides_no_path_of_the_cutout_api() -> None:
    paths = of_type(expanded()["ServiceStack"], "AWS::ApiGateway::RestApi")["CutoutApi"]["Body"]["paths"]

    assert [path for path in paths if path.split("/")[1] == "images"] == []


# ---------------------------------------------------------------- regions


def test_sam_deploys_where_the_public_bucket_is() -> None:
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))

    assert {settings[name]["deploy"]["parameters"]["region"] for name in ("default", "prod")} == {"us-east-1"}


def test_no_topic_is_taken_apart_where_there_is_none() -> None:
    region = load("stacks/queue.yaml")["Resources"]["MastSubscription"]["Properties"]["Region"]
    index, split = region["Fn::Select"]
    between, text = split["Fn::Split"]

    assert text["Fn::Sub"].replace("${MastTopicArn}", "").split(between)[index] == ""
    assert text["Fn::Sub"].replace("${MastTopicArn}", "arn:aws:sns:us-east-1:1:t").split(between)[index] == "us-east-1"
