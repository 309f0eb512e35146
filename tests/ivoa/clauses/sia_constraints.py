"""SIA 2.0: which rows each query parameter finds, compared with all rows of the service."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.ivoa.clauses import sky
from tests.ivoa.clauses.documents import Row
from tests.ivoa.clauses.report import NotOfferedError, clause, require
from tests.ivoa.clauses.sia import SIA, require_fault, require_table
from tests.ivoa.clauses.site import Site

NUMBERS = {
    "FOV": "s_fov",
    "SPATRES": "s_resolution",
    "SPECRP": "em_res_power",
    "EXPTIME": "t_exptime",
    "TIMERES": "t_resolution",
}
WORDS = {
    "COLLECTION": "obs_collection",
    "FACILITY": "facility_name",
    "INSTRUMENT": "instrument_name",
    "DPTYPE": "dataproduct_type",
    "CALIB": "calib_level",
    "TARGET": "target_name",
    "FORMAT": "access_format",
}
INTERVALS = {"BAND": ("em_min", "em_max"), "TIME": ("t_min", "t_max")}


def dids(rows: Iterable[Row]) -> set[str]:
    return {str(row["obs_publisher_did"]) for row in rows}


def require_rows(site: Site, params: list[tuple[str, str]], wanted: Callable[[Row], bool | None]) -> set[str]:
    """A request finds exactly the rows that are wanted; those of which nobody can tell may be there or not."""
    table = require_table(site.search(*params, ("MAXREC", "100000")))
    found = dids(table.rows)
    must = dids(row for row in site.rows if wanted(row) is True)
    may = must | dids(row for row in site.rows if wanted(row) is None)
    said = " & ".join(f"{name}={value}" for name, value in params)
    require(must <= found, f"{said} does not find {sorted(must - found)[:3]}")
    require(found <= may, f"{said} finds {sorted(found - may)[:3]}")
    return found


def require_shape(site: Site, shape: str, cloud: sky.Cloud) -> set[str]:
    return require_rows(
        site, [("POS", shape)], lambda row: row["s_region"] is not None and sky.meets(cloud, row["s_region"])
    )


@clause(SIA, "{query} POS", "A circle finds the rows whose region it meets, and no others")
def sia_circle(site: Site) -> None:
    for row in site.rows:
        if row["s_region"] is not None:
            ra, dec = row["s_ra"], row["s_dec"]
            found = require_shape(site, f"CIRCLE {ra} {dec} 0.02", sky.circle(ra, dec, 0.02))
            require(str(row["obs_publisher_did"]) in found, f"a circle at {ra} {dec} does not find its row")


@clause(SIA, "{query} POS", "A large circle finds all rows whose region it meets")
def sia_large_circle(site: Site) -> None:
    ra, dec = site.row["s_ra"], site.row["s_dec"]
    require_shape(site, f"CIRCLE {ra} {dec} 40", sky.circle(ra, dec, 40.0))


@clause(SIA, "{query} POS", "A polygon finds the rows whose region it meets, and no others")
def sia_polygon(site: Site) -> None:
    ra, dec = site.row["s_ra"], site.row["s_dec"]
    south = dec - 0.05 if dec > -89 else dec
    corners = [((ra - 0.03) % 360, south), ((ra + 0.03) % 360, south), (ra, south + 0.1)]
    text = " ".join(f"{x} {y}" for x, y in corners)
    found = require_shape(site, f"POLYGON {text}", sky.triangle(corners))
    require(site.did in found, f"POLYGON {text} does not find the row around which it is")


@clause(SIA, "{query} POS", "The inside of a polygon is the smaller side, in whichever order its corners are")
def sia_polygon_backwards(site: Site) -> None:
    ra, dec = site.row["s_ra"], site.row["s_dec"]
    corners = [(ra, dec + 0.05), ((ra + 0.03) % 360, dec - 0.05), ((ra - 0.03) % 360, dec - 0.05)]
    for order in (corners, corners[::-1]):
        require_shape(site, "POLYGON " + " ".join(f"{x} {y}" for x, y in order), sky.triangle(corners))


@clause(SIA, "{query} POS", "A range finds the rows whose region it meets, and no others")
def sia_range(site: Site) -> None:
    ra, dec = site.row["s_ra"], site.row["s_dec"]
    west, south = max(0.0, ra - 0.05), max(-90.0, dec - 0.05)
    east, north = min(360.0, west + 0.1), min(90.0, south + 0.1)
    require_shape(site, f"RANGE {west} {east} {south} {north}", sky.box((west, east), (south, north)))


@clause(SIA, "{query} POS", "The range of the whole sky finds every row that has a region")
def sia_whole_sky(site: Site) -> None:
    require_rows(site, [("POS", "RANGE 0 360 -90 90")], lambda row: row["s_region"] is not None)


@clause(SIA, "{query} POS", "A band around the sky finds what it meets on both sides of right ascension 0")
def sia_band_around_the_sky(site: Site) -> None:
    for row in site.rows:
        low, high = max(-90.0, row["s_dec"] - 0.5), min(90.0, row["s_dec"] + 0.5)
        require_shape(site, f"RANGE 0 360 {low} {high}", sky.box((0.0, 360.0), (low, high)))


@clause(SIA, "{query} POS", "-Inf and +Inf leave a side of a range open")
def sia_open_ranges(site: Site) -> None:
    require_rows(site, [("POS", "RANGE -Inf +Inf -Inf +Inf")], lambda row: row["s_region"] is not None)
    require_shape(site, "RANGE 0 360 -Inf -60", sky.box((0.0, 360.0), (-90.0, -60.0)))
    require_shape(site, "RANGE 0 360 60 +Inf", sky.box((0.0, 360.0), (60.0, 90.0)))


@clause(SIA, "{query} POS", "A circle at the other side of the sky does not find a row")
def sia_nothing_elsewhere(site: Site) -> None:
    require_shape(site, f"CIRCLE {site.elsewhere}", sky.circle(*(float(word) for word in site.elsewhere.split())))


@clause(SIA, "{query} POS", "What is no shape of the sky is an error")
def sia_wrong_shapes(site: Site) -> None:
    for text in (
        "BOX 1 2 3 4",
        "CIRCLE 1 2",
        "CIRCLE 1 2 x",
        "RANGE 1 2 3",
        "POLYGON 1 2 3 4",
        "1 2 3",
        "POLYGON 1 2 3 4 5",
    ):
        require_fault(site.search(("POS", text)), f"POS={text}")


@clause(SIA, "{query} BAND, TIME", "An interval finds the rows whose own interval it meets, borders included")
def sia_intervals(site: Site) -> None:
    for name, (low, high) in INTERVALS.items():
        lower, upper = site.row[low], site.row[high]
        middle, width = (lower + upper) / 2, upper - lower
        for begin, end in (
            (lower, upper),
            (middle, middle),
            (upper, upper + width),
            (lower - width, lower),
            (upper + width, upper + 2 * width),
            (lower - 2 * width, lower - width),
        ):
            require_rows(
                site,
                [(name, f"{begin!r} {end!r}")],
                lambda row, b=begin, e=end, lo=low, hi=high: row[lo] is not None and row[lo] <= e and b <= row[hi],  # type: ignore[misc]
            )


@clause(SIA, "{query} BAND, TIME", "One number finds the rows whose interval contains it")
def sia_one_number(site: Site) -> None:
    for name, (low, high) in INTERVALS.items():
        value = (site.row[low] + site.row[high]) / 2
        found = require_rows(
            site,
            [(name, repr(value))],
            lambda row, v=value, lo=low, hi=high: row[lo] is not None and row[lo] <= v <= row[hi],  # type: ignore[misc]
        )
        require(site.did in found, f"{name}={value} does not find a row that contains it")


@clause(SIA, "{query} BAND, TIME", "-Inf and +Inf leave a side of an interval open")
def sia_open_intervals(site: Site) -> None:
    for name, (low, high) in INTERVALS.items():
        value = (site.row[low] + site.row[high]) / 2
        tests: list[tuple[str, Callable[[Row], bool]]] = [
            (f"-Inf {value!r}", lambda row, v=value, lo=low: row[lo] is not None and row[lo] <= v),  # type: ignore[misc]
            (f"{value!r} +Inf", lambda row, v=value, hi=high: row[hi] is not None and row[hi] >= v),  # type: ignore[misc]
            ("-Inf +Inf", lambda row, lo=low: row[lo] is not None),  # type: ignore[misc]
        ]
        for text, wanted in tests:
            require_rows(site, [(name, text)], wanted)


@clause(SIA, "{query}", "An interval that is no interval is an error")
def sia_wrong_intervals(site: Site) -> None:
    for name in (*INTERVALS, *NUMBERS):
        for text in ("soon", "1 2 3", "1 x"):
            require_fault(site.search((name, text)), f"{name}={text}")


@clause(
    SIA,
    "{query} FOV ... TIMERES",
    "A range of a number finds the rows with a value in it; without a value there is none",
)
def sia_numbers(site: Site) -> None:
    for name, column in NUMBERS.items():
        values = sorted({row[column] for row in site.rows if row[column] is not None})
        tests: list[tuple[float, float]] = [(float("-inf"), float("inf"))]
        if values:
            tests += [
                (values[0] * 0.999, values[0] * 1.001),
                (values[-1] * 1.001, float("inf")),
                (values[-1] * 0.999, float("inf")),
            ]
        for begin, end in tests:
            text = f"{_written(begin)} {_written(end)}"
            require_rows(
                site,
                [(name, text)],
                lambda row, b=begin, e=end, c=column: row[c] is not None and b <= row[c] <= e,  # type: ignore[misc]
            )


def _written(value: float) -> str:
    return {float("inf"): "+Inf", float("-inf"): "-Inf"}.get(value, repr(value))


@clause(SIA, "{query} COLLECTION ... FORMAT", "A word finds exactly the rows with this word")
def sia_words(site: Site) -> None:
    for name, column in WORDS.items():
        for value in sorted({row[column] for row in site.rows if row[column] is not None})[:3]:
            require_rows(site, [(name, str(value))], lambda row, v=value, c=column: row[c] == v)  # type: ignore[misc]


@clause(SIA, "{query} COLLECTION ... TARGET", "Words are compared with their case, and as a whole")
def sia_words_exactly(site: Site) -> None:
    for name in ("COLLECTION", "FACILITY", "INSTRUMENT", "TARGET"):
        for value in sorted({row[WORDS[name]] for row in site.rows if row[WORDS[name]] is not None})[:1]:
            for other in (value.swapcase(), value[:-1]):
                require_rows(site, [(name, other)], lambda row, o=other, n=name: row[WORDS[n]] == o)  # type: ignore[misc]


@clause(SIA, "{query} CALIB", "A level that is no whole number is an error")
def sia_wrong_calib(site: Site) -> None:
    require_fault(site.search(("CALIB", "raw")), "CALIB=raw")


@clause(SIA, "{query} POL", "A state finds the rows that have it; rows without states are not found")
def sia_polarisation(site: Site) -> None:
    for state in ("I", "V", "RR"):
        require_rows(
            site,
            [("POL", state)],
            lambda row, s=state: row["pol_states"] is not None and s in row["pol_states"].strip("/").split("/"),  # type: ignore[misc]
        )


@clause(SIA, "{query} ID", "An identifier finds its row")
def sia_id(site: Site) -> None:
    require_rows(site, [("ID", site.did)], lambda row: row["obs_publisher_did"] == site.did)


@clause(SIA, "{query} ID", "IVOA identifiers are compared without regard to case")
def sia_id_in_any_case(site: Site) -> None:
    if not site.did.lower().startswith("ivo://"):
        raise NotOfferedError("IVOA identifiers")
    for other in (site.did.upper(), site.did.swapcase()):
        require_rows(site, [("ID", other)], lambda row: row["obs_publisher_did"] == site.did)


@clause(SIA, "{query}", "Several values of a parameter are combined with OR")
def sia_or(site: Site) -> None:
    first, last = (str(site.rows[index]["obs_publisher_did"]) for index in (0, -1))
    require_rows(site, [("ID", first), ("ID", last)], lambda row: row["obs_publisher_did"] in (first, last))
    timed = [row for row in site.rows if row["t_min"] is not None]
    ends = [(row["t_min"], row["t_max"]) for row in (timed[0], timed[-1])]
    require_rows(
        site,
        [("TIME", f"{low!r} {high!r}") for low, high in ends],
        lambda row: (
            row["t_min"] is not None and any(row["t_min"] <= high and low <= row["t_max"] for low, high in ends)
        ),
    )


@clause(SIA, "{query} POS", "Several shapes are combined with OR")
def sia_or_of_shapes(site: Site) -> None:
    places = [(row["s_ra"], row["s_dec"], 0.02) for row in (site.rows[0], site.rows[-1])]
    clouds = [sky.circle(*place) for place in places]

    def wanted(row: Row) -> bool | None:
        answers = [row["s_region"] is not None and sky.meets(cloud, row["s_region"]) for cloud in clouds]
        return True if True in answers else None if None in answers else False

    require_rows(site, [("POS", "CIRCLE {} {} {}".format(*place)) for place in places], wanted)


@clause(SIA, "{query}", "Different parameters are combined with AND")
def sia_and(site: Site) -> None:
    other = next((row for row in site.rows if row["obs_publisher_did"] != site.did), None)
    require(other is not None, "the service has less than two rows")
    assert other is not None
    require_rows(
        site,
        [("ID", site.did), ("ID", str(other["obs_publisher_did"])), ("POS", f"CIRCLE {site.elsewhere}")],
        lambda row: False,
    )
    interval = f"{site.row['t_min']!r} {site.row['t_max']!r}"
    require_rows(site, [("ID", site.did), ("TIME", interval)], lambda row: row["obs_publisher_did"] == site.did)
