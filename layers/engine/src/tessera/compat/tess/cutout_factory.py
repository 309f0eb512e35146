"""`CutoutFactory` and `cube_cut`: astrocut's oldest names for a cutout of one target from one cube."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, Concatenate, ParamSpec, TypeVar

from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from tessera.checks import check_switch
from tessera.compat.tess.cube_cutout import WcsFit
from tessera.compat.tess.tess_cube_cutout import TessCubeCutout
from tessera.errors import InvalidInputError
from tessera.inputs import CutoutSize, parse_coordinates
from tessera.io.sources import Location
from tessera.tess.products import PRODUCTS

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class CutoutFactory:
    """Makes a target pixel file of one target from one cube.

    Attributes
    ----------
    cube_wcs, cutout_wcs : WCS
        WCS of the frames and of the cutout. This attribute and the following ones exist after a call of `cube_cut`.
    cutout_wcs_fit : dict
        Distance between `cutout_wcs` and `cube_wcs`: WCS_MSEP and WCS_SIG, each [degrees, comment].
    center_coord : SkyCoord
        Position of the target, ICRS.
    cutout_lims : ndarray of int, shape (2, 2)
        Limits in pixels of the frame, counted from 0: [[first column, stop column], [first row, stop row]]. The stop
        column and the stop row are excluded.
    product : str
        Kind of the frames: 'SPOC' or 'TICA'.
    """

    cube_wcs: WCS
    cutout_wcs: WCS
    cutout_wcs_fit: WcsFit
    center_coord: SkyCoord
    cutout_lims: NDArray[Any]
    product: str

    def cube_cut(  # noqa: PLR0917 - astrocut's signature
        self,
        cube_file: Location,
        coordinates: SkyCoord | str,
        cutout_size: CutoutSize,
        target_pixel_file: Location | None = None,
        output_path: Location = ".",
        memory_only: bool = False,
        threads: int | str = 1,
        verbose: bool = False,
        legacy_filenames: bool = False,
        *,
        product: str | None = None,
        filesystem: Any = None,
    ) -> str | fits.HDUList:
        """Cut a target out of a cube.

        Parameters
        ----------
        cube_file : str or Path
            Local path, ``s3://`` or ``https://`` URL of the cube.
        coordinates : SkyCoord or str
            Position of one target. `TessCubeCutout` accepts several.
        cutout_size, threads, verbose, product, filesystem
            See `TessCubeCutout`.
        target_pixel_file : str or Path, optional
            File name; by default it is made of cube, target and size.
        output_path : str or Path, optional
            Folder of the file.
        memory_only : bool, optional
            Whether to return the target pixel file and write nothing.
        legacy_filenames : bool, optional
            Whether to name the file as the TESSCut service does.

        Returns
        -------
        str or HDUList
            Path of the file; with `memory_only`, the target pixel file itself.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed, or more than one target is given.
        InvalidQueryError
            When the cutout has no pixels on the cube.
        """
        if str(target_pixel_file).upper() in PRODUCTS:
            message = "The product is given by its name: product='TICA'."
            raise InvalidInputError("target_pixel_file", target_pixel_file, "a file name", message)
        targets = parse_coordinates(coordinates)
        if len(targets) > 1:
            raise InvalidInputError("coordinates", f"{len(targets)} targets", "one; TessCubeCutout takes several")
        options: dict[str, Any] = {"threads": threads, "verbose": verbose, "product": product}
        made = TessCubeCutout(cube_file, targets, cutout_size, filesystem=filesystem, **options)
        cutout = made.cutouts[0]
        self.cube_wcs, self.cutout_wcs, self.cutout_wcs_fit = cutout.cube_wcs, cutout.wcs, cutout.wcs_fit
        self.center_coord, self.cutout_lims = cutout.coordinates, cutout.cutout_lims
        self.product = cutout.cube.product.name
        if check_switch("memory_only", memory_only):
            return made.tpf_cutouts[0]
        return made.write_as_tpf(output_path, target_pixel_file, legacy_filenames)[0]


def _with_new_factory(method: Callable[Concatenate[CutoutFactory, Arguments], Result]) -> Callable[Arguments, Result]:
    """Make a function that calls a method of a new factory and has the signature of the method."""

    @wraps(method)
    def function(*arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        return method(CutoutFactory(), *arguments, **options)

    known = signature(method)
    parameters = list(known.parameters.values())[1:]
    function.__signature__ = known.replace(parameters=parameters)  # type: ignore[attr-defined] # inspect reads it
    return function


cube_cut = _with_new_factory(CutoutFactory.cube_cut)
