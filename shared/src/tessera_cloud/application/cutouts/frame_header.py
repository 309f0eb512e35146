"""TESSCut's ``/ffi_wcs``: the WCS of the frames of a CCD."""

from __future__ import annotations

from tessera.cubes.reader import Cube
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.index.served import current_index, settled
from tessera_cloud.application.sidecar import known_cube
from tessera_cloud.names import CubeId


def wcs_text(cube: Cube) -> str:
    """The WCS of a cube's frames as the text of a FITS header, for ``astropy.wcs.WCS(text, relax=True)``."""
    header = cube.wcs.to_header(relax=True)
    shape = ((1, "NAXIS", 2), (2, "NAXIS1", cube.layout.n_columns), (3, "NAXIS2", cube.layout.n_rows))
    for place, keyword, value in shape:
        header.insert(place - 1, (keyword, value))
    return str(header.tostring())


def frame_header(cube_id: CubeId, backend: HasCubes) -> str | None:
    """Header of the frames of a CCD; None where there is no such cube.

    Frames of a sector share it but for the motion of the spacecraft: it is that of the middle one.
    """
    served = next((cube for cube in current_index(backend).cubes if cube.cube_id == cube_id), None)
    known = settled(served, backend) if served else None
    if known is None:
        return None
    return wcs_text(known_cube(known, backend))
