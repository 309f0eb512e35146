"""Builds the record of the services for registries (VOResource 1.1, VODataService 1.2).

Importing this module takes half a second; see `models`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import AnyUrl
from vo_models.voresource.models import Contact, Content, Creator, Curation, ResourceName, Rights

from tessera.tess.times import to_utc_mjd
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.application.index.served import current_index
from tessera_cloud.application.vo.coarse_moc import coverage_text
from tessera_cloud.application.vo.links.ranges import TESS_BAND
from tessera_cloud.http.vo.vosi.build import capabilities_of
from tessera_cloud.http.vo.vosi.models import CatalogService, Coverage, Footprint
from tessera_cloud.http.vo.vosi.services import SERVICES

_WRITTEN = datetime(2026, 11, 26, tzinfo=UTC)
"""When this description was written."""
_JOULE_METRES = 1.98644586e-25
"""Energy of a photon times its wavelength: Planck's constant times the speed of light."""
_SUBJECTS = ["ccd-photometry", "sky-surveys", "space-telescopes", "time-domain-astronomy"]
"""Terms of the Unified Astronomy Thesaurus."""


def build_record(base: str, backend: Backend) -> CatalogService:
    """Record of all services of the Virtual Observatory.

    Parameters
    ----------
    base : str
        Address of the API as the client sees it.
    backend : Backend
        Index, settings and clock.
    """
    index, authority = current_index(backend), backend.settings.ivo_authority
    now = backend.now()
    return CatalogService(
        created=min(_WRITTEN, now),
        updated=min(_last_change(index), now),
        status="active",
        version="1.1",
        title="Cutouts of full-frame images of TESS",
        short_name="TESS cutouts",
        identifier=AnyUrl(f"ivo://{authority}/cubes"),
        curation=_curation(authority),
        content=_content(base),
        rights=[Rights(value="The data of TESS are public.")],
        capability=list(capabilities_of(SERVICES, base, with_parameters=True)),
        facility=[ResourceName(value="TESS")],
        instrument=[ResourceName(value="Photometer")],
        coverage=_coverage(index, base, coverage_text(backend)),
    )


def _last_change(index: FootprintIndex) -> datetime:
    """When the newest cube was planned, if that is later than when this description was written."""
    planned = max((cube.planned_at for cube in index.cubes), default="")
    return max(_WRITTEN, datetime.fromisoformat(planned)) if planned else _WRITTEN


def _curation(authority: str) -> Curation:
    return Curation(
        publisher=ResourceName(value=authority, ivo_id=f"ivo://{authority}"),
        creator=[Creator(name=ResourceName(value="TESS Mission"))],
        contact=[Contact(name=ResourceName(value=authority))],
    )


def _content(base: str) -> Content:
    return Content(
        subject=_SUBJECTS,
        description="Cubes of the full-frame images of TESS, and other images. SIA finds them, DataLink shows what "
        "belongs to each, and SODA cuts target pixel files for a circle, a polygon or a range of coordinates.",
        reference_url=AnyUrl(f"{base}/docs"),
        type=["Survey"],
        content_level=["Research"],
    )


def _coverage(index: FootprintIndex, base: str, spatial: str | None) -> Coverage:
    times = [
        (to_utc_mjd(cube.cube_id.kind, cube.t_min), to_utc_mjd(cube.cube_id.kind, cube.t_max)) for cube in index.cubes
    ]
    first, last = min((start for start, _ in times), default=None), max((end for _, end in times), default=None)
    energies = sorted(_JOULE_METRES / wavelength for wavelength in TESS_BAND)
    return Coverage(
        spatial=spatial,
        temporal=[] if first is None else [f"{first:.5f} {last:.5f}"],
        spectral=[f"{energies[0]:.6g} {energies[1]:.6g}"],
        footprint=Footprint(value=f"{base}/v1/coverage/all/all.fits") if spatial else None,
        waveband=["Optical", "Infrared"],
    )
