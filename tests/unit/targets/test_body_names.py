"""Which texts may be the name of a body of the solar system."""

import pytest

from tessera_cloud.application.targets.body_names import body_name
from tessera_cloud.errors import UsageError


@pytest.mark.parametrize(
    "name",
    [
        "Eleonora",
        "354",
        "-95",
        "(1) Ceres",
        "2003 UB313",
        "C/2017 K2 (PANSTARRS)",
        "1P/Halley",
        "73P-BV",
        "DES=1P; CAP; NOFRAG;",
        "S/2003 J 2",
        "A918 AA",
        "'Oumuamua",
        "\u02bbOumuamua",
        "1I/\u2019Oumuamua",
        "Proven\u00e7al",
        "G\u01c3k\u00fan",
        "x" * 100,
    ],
)
def test_names_designations_and_numbers_may_be(name: str) -> None:
    assert body_name(f"  {name} ") == name


QUOTED = ['Ceres"', 'Ceres" QUANTITIES="2', "<b>", "a&b=c", "$(x)", "A < 2.5;"]
BROKEN = ["Ceres\nSTEP", "Ceres\r\nX", "Ceres\x00", "x" * 101, " ", "\n"]


@pytest.mark.parametrize("text", QUOTED + BROKEN)
def test_other_texts_are_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(UsageError, match=r"obj_id is .*; allowed: a name, number or designation") as error:
        body_name(text)
    assert "\n" not in str(error.value)


def test_nothing_is_missing() -> None:
    with pytest.raises(UsageError, match="name is missing; allowed: a name, number"):
        body_name(None, "name")


def test_an_accent_that_is_written_apart_is_part_of_its_letter() -> None:
    assert body_name("Provenc\u0327al") == "Proven\u00e7al"
