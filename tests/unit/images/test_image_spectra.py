"""Spectra of sources: which wavelengths, what is kept, and what is told."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import asdf
import asdf.schema
import numpy as np
import pytest
from astropy import units as u
from hypothesis import given
from hypothesis import strategies as st

from tessera import DataWarning, InvalidInputError, InvalidQueryError, RomanSpectralSubset
from tessera.roman.spectra_reader import cut_source
from tessera.roman.spectra_writer import spectrum_bytes


def spectrum(n: int = 6) -> dict[str, Any]:
    wavelengths = 500.0 + 100 * np.arange(n)
    return {
        "wl": wavelengths,
        "flux": np.arange(n) * 1.0,
        "flux_error": np.ones(n),
        "trace": np.arange(2 * n).reshape(n, 2),
        "name": "a" * n,
        "coadds": 2,
    }


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        data: dict[Any, Any] = {
            "1": spectrum(),
            2: spectrum(4),
            "short": {"wl": np.array([500.0]), "flux": np.array([1.0])},
        }
        tree = {"roman": {"meta": {"unit_wl": "nm", "name": name}, "data": data, "notes": [1, 2]}, "extra": {"x": 1}}
        made.append(tmp_path / name / "spectra.asdf")
        asdf.AsdfFile(tree).write_to(made[-1])
    return made


@given(st.integers(1, 20), st.floats(0, 3000), st.floats(0, 3000))
def test_a_range_keeps_its_ends_and_all_that_is_between(n: int, one: float, other: float) -> None:
    source, span = spectrum(n), (min(one, other), max(one, other))
    keep = (source["wl"] >= span[0]) & (source["wl"] <= span[1])
    if not keep.any():
        with pytest.raises(LookupError, match="out of bounds"):
            cut_source(source, span)
        return
    cut = cut_source(source, span)
    for name in ("wl", "flux", "flux_error", "trace"):
        np.testing.assert_array_equal(cut[name], source[name][keep])
    assert (cut["name"], cut["coadds"]) == (source["name"], 2)


def test_a_range_may_have_a_unit(paths: list[Path]) -> None:
    made = RomanSpectralSubset(paths[0], 1, (0.55, 0.75) * u.um)
    np.testing.assert_array_equal(made.subset_data[str(paths[0])]["1"]["wl"], [600, 700])


def test_what_is_not_there_is_told(paths: list[Path]) -> None:
    (paths[1]).write_text("no asdf", encoding="utf-8")
    with pytest.warns(DataWarning) as told:
        made = RomanSpectralSubset(paths, ["1", 2, 99], (850, 1000))
    texts = " ".join(str(warning.message) for warning in told)
    assert "Source ID 99 not found" in texts
    assert "out of bounds for source ID 2" in texts
    assert f"{paths[1]} is skipped" in texts
    assert list(made.subset_data[str(paths[0])]) == ["1"]
    with pytest.warns(DataWarning), pytest.raises(InvalidQueryError, match="No subsets"):
        RomanSpectralSubset(paths, 99)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"wl_range": (2, 1)}, "wl_range"),
        ({"wl_range": 5}, "wl_range"),
        ({"wl_range": (1, np.nan)}, "wl_range"),
        ({"source_ids": []}, "source_ids"),
        ({"max_workers": 0}, "max_workers"),
    ],
)
def test_impossible_arguments_are_told(paths: list[Path], arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidInputError, match=f"{name} is"):
        RomanSpectralSubset(paths, **{"source_ids": [1], **arguments})


def test_files_of_one_name_do_not_overwrite_each_other(paths: list[Path], tmp_path: Path) -> None:
    made = RomanSpectralSubset(paths, [1, 2])
    written = made.write_as_asdf(tmp_path / "out", group_by="source_file")
    assert len(set(written)) == 4
    names = []
    for path in written:
        with asdf.open(path) as file:
            names.append((file["roman"]["meta"]["name"], file["roman"]["meta"]["source_id"]))
    assert names == [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")]


@pytest.mark.parametrize("group_by", ["source_file", "file", "combined"])
def test_the_full_form_keeps_the_tree(paths: list[Path], tmp_path: Path, group_by: Any) -> None:
    for path in RomanSpectralSubset(paths, 1, lite=False).write_as_asdf(tmp_path / "out", group_by=group_by):
        with asdf.open(path) as file:
            tag = "_combined" if group_by == "combined" else ""
            extra, notes = file[f"extra{tag}"], file["roman"][f"notes{tag}"]
            assert (extra, notes) == (({"x": 1}, [1, 2]) if not tag else (extra, notes))
            assert "history" in file.tree


def test_history_says_the_range(paths: list[Path]) -> None:
    made = RomanSpectralSubset(paths[0], 1, (550, 850)).get_asdf_subsets(group_by="source_file")
    text = made["subset"][0]["history"]["entries"][-1]["description"]
    assert text.endswith("with wavelength range (550, 850).")


def test_other_threads_files_are_checked_while_one_is_not() -> None:
    original, checked, done = asdf.schema.validate, [], threading.Event()

    def other() -> None:
        done.wait()
        spectrum_bytes({"a": 1})

    def count(*arguments: Any, **options: Any) -> None:
        checked.append(threading.current_thread().name)
        original(*arguments, **options)

    asdf.schema.validate = count
    try:
        thread = threading.Thread(target=other, name="other")
        thread.start()
        done.set()
        for _ in range(20):
            spectrum_bytes({"a": np.arange(3)}, validate=False)
        thread.join()
    finally:
        asdf.schema.validate = original
    assert checked
    assert set(checked) == {"other"}
