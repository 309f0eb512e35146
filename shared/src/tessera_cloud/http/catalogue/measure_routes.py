"""Operations on what was measured of whole cubes: reference frames, changes and cotrending vectors."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response
from pydantic import Field

from tessera_cloud.application.measures.files import MeasureFile, copy_to_results, find_measure, read_measure
from tessera_cloud.application.results import INLINE_LIMIT
from tessera_cloud.http.charging import charge
from tessera_cloud.http.fields import Document
from tessera_cloud.http.framework.answers import result_url, see_other
from tessera_cloud.http.framework.cached_answers import NOT_MODIFIED, cached_answer, digest, not_modified
from tessera_cloud.http.framework.operations import JSON, Answer, Group, Operation, Request
from tessera_cloud.http.models import ErrorDocument

group = Group("Measures", "Reference frames of cubes, and lists of what changed on a CCD.")
_UNIT = "in the unit of the frames: electrons per second, or electrons for TICA frames"


class ChangeItem(Document):
    """A change on a CCD."""

    ra: float = Field(description="Right ascension in degrees, ICRS.", examples=[88.9515])
    dec: float = Field(description="Declination in degrees, ICRS.", examples=[-75.3911])
    row: float = Field(description="Row of the frame; the centre of the first pixel is 0.", examples=[1012.3])
    column: float = Field(description="Column of the frame; the centre of the first pixel is 0.", examples=[644.8])
    start: float = Field(description="Beginning of the first bin in which it is seen.", examples=[1330.3])
    end: float = Field(description="End of the last bin in which it is seen.", examples=[1331.8])
    peak: float = Field(description="Middle of the bin in which it is clearest.", examples=[1331.05])
    difference: float = Field(
        description=f"Sum of 3 by 3 pixels in that bin minus the reference, {_UNIT}; negative for what became fainter.",
        examples=[151.2],
    )
    error: float = Field(description="Uncertainty of the difference.", examples=[4.1])
    sigma: float = Field(description="Difference divided by its uncertainty.", examples=[36.9])
    reference: float | None = Field(
        description="Sum of the same pixels of the reference frame, with its background.", examples=[973.5]
    )
    n_bins: int = Field(description="Number of bins in which it is seen.", examples=[3])


class ChangeList(Document):
    """List of what changed on a CCD."""

    cube: str = Field(description="Name of the cube.", examples=["tess-s0001-4-2"])
    time_system: str = Field(description="`BTJD`, or `TJD` for TICA frames.", examples=["BTJD"])
    n_sigma: float = Field(description="Smallest number of standard deviations of a change.", examples=[7.0])
    bin_days: float = Field(description="Length of the bins of time in days.", examples=[0.5])
    left_out: int = Field(description="Number of changes that are not listed; the list has 10,000.", examples=[0])
    changes: list[ChangeItem] = Field(description="The changes, the clearest first.")


_TYPES = {"fits": "application/fits", "csv": "text/csv", "ecsv": "text/plain", "json": JSON}


@group.add(
    Operation(
        "GET",
        "/v1/cubes/{cube}/{measure}",
        "get_measure",
        "The reference frame of a cube, or what changed on its CCD",
        (
            Answer(200, "A FITS file", content_type="application/fits"),
            Answer(200, "The changes as CSV", content_type="text/csv"),
            Answer(200, "The changes as ECSV, with units and thresholds", content_type="text/plain"),
            Answer(200, "The changes as JSON", ChangeList),
            Answer(303, "The address of a file of more than 4 MB", content_type="text/plain", location=True),
            NOT_MODIFIED,
            Answer(404, "The cube is not served, or was not measured", ErrorDocument),
        ),
        description="Gives `reference.fits`, the median of the good cadences of a cube with its uncertainty; "
        "`changes.csv`, `changes.ecsv` or `changes.json`, a list of what became brighter or fainter on the CCD, where, "
        "when and by how much; or `vectors.fits`, what the light curves of the CCD have in common. Cubes that were "
        "built here are measured after each build, and others by their operator.",
    )
)
def get_measure(request: Request) -> Response[Any]:
    """A measure of a cube, or a redirection to it."""
    svc = request.services
    found = find_measure(request.path["cube"], request.path["measure"], svc)
    tag = digest(f"{found.etag} {found.name}")
    if current := not_modified(request, tag):
        return current
    content_type = _TYPES[found.name.rpartition(".")[2]]
    if found.size > INLINE_LIMIT:
        charge(request, found.size)
        return see_other(result_url(svc, copy_to_results(found, svc), found.saved_as, content_type))
    disposition = {"Content-Disposition": f'attachment; filename="{found.saved_as}"'}
    return cached_answer(tag, _content(found, read_measure(found, svc)), content_type, **disposition)


def _content(found: MeasureFile, data: bytes) -> str | bytes:
    """Content in the form that was asked for: the list of changes is stored as ECSV."""
    from tessera.measures.change_list import change_csv, read_about, read_changes  # noqa: PLC0415 - few need it

    form = found.name.rpartition(".")[2]
    if form == "csv":
        return change_csv(data)
    if form == "json":
        about = read_about(data) | {"cube": found.obs_id, "changes": read_changes(data)}
        return ChangeList.model_validate({name: about[name] for name in ChangeList.model_fields}).model_dump_json()
    return data if form == "fits" else data.decode("ascii")
