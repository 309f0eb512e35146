"""Nothing that is deployed names a partition: ARNs and hosts have that of the account."""

import re

import pytest

from tests.template.documents import FILE_NAMES, ROOT

FILES = [*FILE_NAMES, *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("statemachines/*.json"))]
NAMES_PARTITION = re.compile(r"arn:aws[a-z-]*:|amazonaws\.com(?!/v?\d)")
SERVICES = re.compile(r"(?<=[ {])[a-z0-9]+\.amazonaws\.com(?=[},\s])")
"""Principals of services, which are the same in each partition."""


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_deployed_names_no_partition(name: str) -> None:
    text = SERVICES.sub("", (ROOT / name).read_text(encoding="utf-8"))

    assert NAMES_PARTITION.findall(text) == []
