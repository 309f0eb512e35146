"""Errors reach the process that started the work."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest

from tessera.errors import (
    FrameError,
    InvalidInputError,
    InvalidQueryError,
    InvalidValueError,
    TesseraError,
    UnreadableFrameError,
)

ERRORS = [
    InvalidValueError("size", 0, "1 to 10"),
    InvalidInputError("size", 0, "1 to 10", "A sentence."),
    InvalidQueryError("nothing there"),
    UnreadableFrameError("frame.fits", "truncated"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_after_a_journey_between_processes(error: TesseraError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), copy.args, vars(copy)) == (str(error), error.args, vars(error))


def fail(name: str) -> None:
    raise FrameError(name, "truncated")


def test_an_error_of_a_worker_is_raised_in_the_process_that_waits_for_it() -> None:
    with (
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool,
        pytest.raises(FrameError, match=r"frame\.fits: truncated"),
    ):
        pool.submit(fail, "frame.fits").result(timeout=60)
