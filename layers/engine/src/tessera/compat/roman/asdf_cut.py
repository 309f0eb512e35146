"""`asdf_cut`: `ASDFCutout` as a function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tessera.checks import check_switch
from tessera.compat.roman.asdf_cutout import ASDFCutout, check_format
from tessera.inputs import CutoutSize
from tessera.io.file_objects import ImageInput

if TYPE_CHECKING:
    from tessera.io.sources import Location


def asdf_cut(  # noqa: PLR0917 - astrocut's signature
    input_files: ImageInput | Sequence[ImageInput],
    ra: float,
    dec: float,
    cutout_size: CutoutSize = 25,
    output_file: Location | None = None,  # noqa: ARG001 - kept for old callers
    write_file: bool = True,
    fill_value: float = np.nan,
    output_dir: Location = ".",
    output_format: str = ".asdf",
    key: str | None = None,
    secret: str | None = None,
    token: str | None = None,
    lite: bool = True,
    verbose: bool = False,
    *,
    filesystem: Any = None,
) -> Any:
    """Cut a target out of ASDF files and write the cutouts.

    Parameters
    ----------
    input_files, cutout_size, fill_value, key, secret, token, lite, verbose, filesystem
        See `ASDFCutout`.
    ra, dec : float
        Position of the target, ICRS degrees.
    output_file : str or Path, optional
        This argument is ignored.
    write_file : bool, optional
        Whether to write files.
    output_dir : str or Path, optional
        Folder of the files. It is created if it does not exist.
    output_format : {'.asdf', '.fits'}, optional
        Format of the files.

    Returns
    -------
    list of str, or Table
        Paths of the files; with `write_file` False, a table of files, targets and Cutout2D.

    Raises
    ------
    InvalidInputError, InvalidQueryError
        See `ASDFCutout`.
    """
    suffix = check_format(output_format, f"Output format .{str(output_format).lower().lstrip('.')} is not recognized.")
    to_files = check_switch("write_file", write_file)
    made = ASDFCutout(
        input_files,
        f"{ra} {dec}",
        cutout_size,
        fill_value,
        key,
        secret,
        token,
        lite=lite,
        verbose=verbose,
        filesystem=filesystem,
    )
    if not to_files:
        return made.cutouts
    return made.write_as_asdf(output_dir) if suffix == ".asdf" else made.write_as_fits(output_dir)
