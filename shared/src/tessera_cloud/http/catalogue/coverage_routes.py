"""Operations on the coverage of the sky: MOCs that tools of the Virtual Observatory read."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response
from pydantic import Field

from tessera_cloud.application.coverage.parts import ALL, SUFFIXES, CoveragePart
from tessera_cloud.application.coverage.served import copy_to_results, current_coverage, find_file, read_file
from tessera_cloud.application.results import INLINE_LIMIT
from tessera_cloud.http.charging import charge
from tessera_cloud.http.fields import Document, FirstMjd, LastMjd, Sector
from tessera_cloud.http.framework.answers import result_url, see_other
from tessera_cloud.http.framework.cached_answers import NOT_MODIFIED, cached_answer, digest, not_modified
from tessera_cloud.http.framework.links import link
from tessera_cloud.http.framework.operations import JSON, Answer, Group, Operation, Request
from tessera_cloud.http.models import ErrorDocument

FITS = "application/fits"
_EXAMPLE = "https://api.example.org/v1/coverage/SPOC/s0001"

group = Group("Coverage", "Where on the sky, and when, there are cubes: MOCs for Aladin, TOPCAT and other tools.")


class CoverageFiles(Document):
    """Addresses of the files of a part of the coverage."""

    fits: str = Field(description="MOC as FITS.", examples=[f"{_EXAMPLE}.fits"])
    json_: str = Field(serialization_alias="json", description="MOC as JSON.", examples=[f"{_EXAMPLE}.json"])
    st_fits: str = Field(description="Space-time MOC as FITS.", examples=[f"{_EXAMPLE}-st.fits"])
    st_json: str = Field(description="Space-time MOC as JSON.", examples=[f"{_EXAMPLE}-st.json"])


class CoverageItem(Document):
    """Coverage of a sector of a product, or of all."""

    product: str = Field(description="`SPOC`, `TICA`, or `all` for cubes of both.", examples=["SPOC"])
    sector: Sector | None = Field(description="Sector; null for all sectors.")
    cubes: int = Field(description="Number of cubes.", examples=[16])
    sky_fraction: float = Field(description="Part of the sky that is covered, 0 to 1.", examples=[0.0472])
    t_min: FirstMjd
    t_max: LastMjd
    files: CoverageFiles = Field(description="Addresses of the files.")


class CoverageList(Document):
    """List of all parts of the coverage."""

    space_order: int = Field(description="Order of the cells on the sky.", examples=[10])
    time_order: int = Field(description="Order of the cells of time.", examples=[28])
    coverage: list[CoverageItem] = Field(description="Coverage by product and sector, `all` and null first.")


def _item(product: str, name: str, part: CoveragePart, base: str) -> CoverageItem:
    fits, json_, st_fits, st_json = (link(base, f"/v1/coverage/{product}/{name}{suffix}") for suffix in SUFFIXES)
    return CoverageItem(
        product=product,
        sector=None if name == ALL else int(name[1:]),
        cubes=part.cubes,
        sky_fraction=part.sky_fraction,
        t_min=part.t_min,
        t_max=part.t_max,
        files=CoverageFiles(fits=fits, json_=json_, st_fits=st_fits, st_json=st_json),
    )


@group.add(
    Operation(
        "GET",
        "/v1/coverage",
        "get_coverage",
        "Where on the sky, and when, there are cubes",
        (
            Answer(200, "The files of each sector and product", CoverageList),
            NOT_MODIFIED,
            Answer(404, "The coverage is not written yet", ErrorDocument),
        ),
        description="Lists the MOCs (Multi-Order Coverage maps) of each sector and product. They are written whenever "
        "the list of cubes changes, and show the cubes that were served then.",
    )
)
def get_coverage(request: Request) -> Response[Any]:
    """All parts of the coverage."""
    coverage = current_coverage(request.services)
    items = [_item(*of, part, request.base) for of, part in coverage.by_name().items()]
    answer = CoverageList(space_order=coverage.space_order, time_order=coverage.time_order, coverage=items)
    text = answer.model_dump_json(by_alias=True)
    tag = digest(text)
    return not_modified(request, tag) or cached_answer(tag, text)


@group.add(
    Operation(
        "GET",
        "/v1/coverage/{product}/{file}",
        "get_coverage_file",
        "A MOC, or a space-time MOC",
        (
            Answer(200, "The MOC as FITS", content_type=FITS),
            Answer(200, "The MOC as JSON"),
            Answer(303, "The address of a file of more than 4 MB", content_type="text/plain", location=True),
            NOT_MODIFIED,
            Answer(404, "The coverage is not written yet, or has no such product or sector", ErrorDocument),
        ),
        description="Gives a MOC of version 2.0 of the standard of the IVOA: `all.fits` of all sectors, `s0001.fits` "
        "of one. `all-st.fits` and `s0001-st.fits` also have the times. `.json` in place of `.fits` gives JSON.",
    )
)
def get_coverage_file(request: Request) -> Response[Any]:
    """A file of the coverage, or a redirection to it."""
    svc = request.services
    found = find_file(request.path["product"], request.path["file"], current_coverage(svc))
    tag = digest(found.key)
    if current := not_modified(request, tag):
        return current
    content_type = JSON if found.name.endswith(".json") else FITS
    if found.size > INLINE_LIMIT:
        charge(request, found.size)
        return see_other(result_url(svc, copy_to_results(found, svc), found.saved_as, content_type))
    data = read_file(found, svc)
    disposition = {"Content-Disposition": f'attachment; filename="{found.saved_as}"'}
    return cached_answer(tag, data.decode() if content_type == JSON else data, content_type, **disposition)
