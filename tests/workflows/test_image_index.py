"""The ImageIndex state machine: what it makes of real files, what it tries again, and that none is lost silently."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tessera_cloud.errors import FatalError, TransientError
from tests.support.image_machine import ImageStack
from tests.support.image_service import BUCKET, HST, ROMAN_L2, SDSS, TWO_MASS
from tests.support.state_machine import Fault, always

# The interpreter runs handlers in threads of one process, and filters of warnings are those of all threads.
pytestmark = [
    pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning"),
    pytest.mark.filterwarnings("ignore::asdf.exceptions.AsdfConversionWarning"),
    pytest.mark.filterwarnings("ignore::asdf.exceptions.AsdfPackageVersionWarning"),
]


def summary(stack: ImageStack) -> dict[str, Any]:
    answer = stack.run("DISTRIBUTED")
    assert answer["status"] == "SUCCEEDED", answer
    document: dict[str, Any] = json.loads(answer["output"])
    return document


def of_file(name: str, error: Exception, times: int = 99) -> Fault:
    failed: list[int] = []

    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == "read_image" and event["image"]["key"].endswith(name) and len(failed) < times:
            failed.append(call)
            raise error

    return fault


def test_files_become_indexes(image_stack: ImageStack) -> None:
    answer = summary(image_stack)
    assert (answer["datasets"], answer["images"], answer["read"], answer["failed"]) == (4, 7, 7, 0)
    assert [len(image_stack.indexed(name)) for name in (SDSS, TWO_MASS, HST, ROMAN_L2)] == [3, 2, 1, 1]
    assert image_stack.calls == {"list_images": 1, "read_image": 7, "write_image_index": 1}


def test_a_run_without_anything_new_reads_nothing(image_stack: ImageStack) -> None:
    summary(image_stack)
    image_stack.calls.clear()
    answer = summary(image_stack)
    assert (answer["kept"], answer["read"]) == (7, 0)
    assert image_stack.calls == {"list_images": 1, "write_image_index": 1}


def test_transient_errors_are_tried_again(image_stack: ImageStack) -> None:
    image_stack.fault = of_file("gc_2mass_k.fits", TransientError("503 SlowDown"), times=2)
    assert summary(image_stack)["read"] == 7
    assert image_stack.calls["read_image"] == 9


def test_a_broken_file_is_named_and_the_execution_succeeds(image_stack: ImageStack) -> None:
    image_stack.store.write(BUCKET, "galactic/broken.fits", b"broken")
    answer = summary(image_stack)
    assert [failure["name"] for failure in answer["failures"]] == ["broken.fits"]
    assert answer["images"] == 7


def test_a_task_that_dies_fails_the_execution_after_the_others_are_indexed(image_stack: ImageStack) -> None:
    image_stack.fault = of_file("gc_msx_e.fits", MemoryError("killed"))
    answer = image_stack.run("DISTRIBUTED")
    assert (answer["status"], answer["error"]) == ("FAILED", "UnreadImagesError")
    assert "gc_msx_e.fits" in answer["cause"]
    assert image_stack.indexed(TWO_MASS) == ["galactic/gc_2mass_k.fits"]
    image_stack.fault = lambda name, event, call: None
    assert summary(image_stack)["read"] == 1


def test_datasets_that_are_wrong_fail_by_name_and_leave_the_indexes(image_stack: ImageStack) -> None:
    summary(image_stack)
    image_stack.store.write("cubes", "images/datasets.json", b'{"datasets": [{"name": "x", "uris": ["s3://other/a"]}]}')
    answer = image_stack.run("DISTRIBUTED")
    assert (answer["status"], answer["error"]) == ("FAILED", "DatasetsError")
    assert "other/a is not in a bucket that this stack may read" in answer["cause"]
    assert len(image_stack.indexed(SDSS)) == 3


def test_a_listing_that_fails_leaves_the_indexes(image_stack: ImageStack) -> None:
    summary(image_stack)
    image_stack.fault = always("list_images", FatalError("AccessDenied"))
    assert image_stack.run("DISTRIBUTED")["status"] == "FAILED"
    assert len(image_stack.indexed(SDSS)) == 3
