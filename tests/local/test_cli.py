import textwrap

from tessera_local.cli import examples
from tessera_local.demo import demonstration

URL = "http://127.0.0.1:3000"


def test_the_examples_name_the_address_and_a_star_of_the_demonstration() -> None:
    text = examples(URL)
    star = demonstration.EXAMPLES[0]
    assert f"{URL}/tesscut/api/v0.1/astrocut?ra={star.ra}&dec={star.dec}" in text
    assert str(star.period_days) in text


def test_the_python_of_the_examples_is_python() -> None:
    blocks = examples(URL).split("  # ")
    for block in blocks:
        if block.startswith(("astroquery", "lightkurve")):
            compile(textwrap.dedent("  # " + block), "example", "exec")
