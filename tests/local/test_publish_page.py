"""The bucket of a stack holds the page and nothing else."""

import importlib.util
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool() -> Any:
    spec = importlib.util.spec_from_file_location("publish_page", ROOT / "tools/publish_page.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_files_are_copied_with_their_types_and_old_ones_removed(tool: Any) -> None:
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="page")
        s3.put_object(Bucket="page", Key="js/gone.js", Body=b"")
        written, removed = tool.copy_files(s3, "page")
        keys = {item["Key"] for item in s3.list_objects_v2(Bucket="page")["Contents"]}
        assert (written, removed) == (len(keys), 1)
        assert keys == {str(path.relative_to(tool.FOLDER)) for path in tool.FOLDER.rglob("*") if path.is_file()}
        types = {key: s3.head_object(Bucket="page", Key=key)["ContentType"] for key in keys}
        assert types["index.html"] == "text/html; charset=utf-8"
        assert types["js/main.js"] == "text/javascript; charset=utf-8"
        assert types["icon.svg"] == "image/svg+xml"
        assert (
            s3.get_object(Bucket="page", Key="index.html")["Body"].read() == (tool.FOLDER / "index.html").read_bytes()
        )
