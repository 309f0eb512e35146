"""The commands of docs/operations/upgrading.md fit the template."""

import json
import re
from typing import Any

from tests.support.expanded import ROOT_STACK, expanded
from tests.template.documents import ROOT, Json

PAGE = (ROOT / "docs/operations/upgrading.md").read_text(encoding="utf-8")


def block(name: str) -> Any:
    """A document that the page writes to a file."""
    found = re.search(rf"cat > {name} <<'?JSON'?\n(.*?)\nJSON\n", PAGE, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def kept() -> dict[str, Json]:
    resources: dict[str, Json] = expanded()[ROOT_STACK]["Resources"]
    return {name: body for name, body in resources.items() if body.get("DeletionPolicy") == "Retain"}


def test_what_is_adopted_is_what_a_deleted_stack_leaves() -> None:
    adopted = block("adopt.json")["Resources"]

    assert {name: body["Type"] for name, body in adopted.items()} == {
        name: body["Type"] for name, body in kept().items()
    }
    assert {body["DeletionPolicy"] for body in adopted.values()} == {"Retain"}
    for name, body in adopted.items():
        properties = kept()[name]["Properties"]
        assert {key: properties[key] for key in body.get("Properties", {})} == body.get("Properties", {})


def test_what_is_imported_is_named_as_in_the_template_of_the_import() -> None:
    imported = {each["LogicalResourceId"]: each["ResourceType"] for each in block("resources.json")}

    assert imported == {name: body["Type"] for name, body in block("adopt.json")["Resources"].items()}


def test_an_adopted_resource_has_no_name_in_the_template_that_would_replace_it() -> None:
    for body in kept().values():
        assert not {"BucketName", "TableName"} & set(body["Properties"])


def test_each_bucket_that_must_be_empty_is_emptied() -> None:
    emptied = set(re.findall(r"aws s3 rm s3://\$(\w+) --recursive\n", PAGE))
    buckets = {
        name
        for template in expanded().values()
        for name, body in template["Resources"].items()
        if body["Type"] == "AWS::S3::Bucket" and body.get("DeletionPolicy") != "Retain"
    }

    assert (buckets, emptied) == ({"ResultBucket", "PageBucket"}, {"RESULTS", "PAGE_BUCKET"})
