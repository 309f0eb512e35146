"""See the package. What is private in the peer and what its tests touch all the same is here, made of Tessera's."""

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from astropy.coordinates import SkyCoord

from tessera import InvalidInputError, normalize_img
from tessera.compat.images.image_cutout import ImageCutout as _ImageCutout
from tessera.errors import DataWarning
from tessera.images.pictures import PictureOptions, describe, save_arguments
from tessera.inputs import parse_coordinates

__all__ = ["ImageCutout", "normalize_img"]


class ImageCutout(_ImageCutout):
    """The base class, with the peer's private functions."""

    cutouts_by_file: dict[Any, Any]

    def _prepare_image_render_options(self, stretch: Any, percent: Any, value: Any) -> PictureOptions:
        return PictureOptions(stretch, percent, value)

    @staticmethod
    def _coerce_coordinate_list(coordinates: Any) -> list[Any]:
        if coordinates is None:
            return []
        return list(coordinates) if isinstance(coordinates, (list, tuple)) else [coordinates]

    @staticmethod
    def _coerce_coord_object(coord: Any) -> SkyCoord:
        return parse_coordinates(coord)[0]

    def _build_cutout_metadata(self, files: list[Any], cutout: Any, coord: Any) -> dict[str, Any]:
        return describe(files, cutout, self._coerce_coord_object(coord))

    def _iter_selected_cutouts(self, *, input_files: Any = None, coordinates: Any = None) -> Iterator[Any]:
        if coordinates is not None:
            message = "Selecting image cutouts by coordinates is not supported for this cutout type."
            raise InvalidInputError("coordinates", coordinates, "None", message)
        chosen = self.cutouts_by_file if input_files is None else self._coerce_coordinate_list(input_files)
        for file in chosen:
            if file not in self.cutouts_by_file:
                message = f"Input file {file} is not in the cutout results."
                raise InvalidInputError("input_files", file, "one of them", message)
            yield from ((file, self._coordinates, cutout) for cutout in self.cutouts_by_file[file])

    def _warn_too_many_color_cutouts(self, coord: SkyCoord) -> None:
        self._three_bands(coord, [("", coord, None)] * 4)

    def _handle_insufficient_color_cutouts(self, coord: SkyCoord) -> None:
        self._three_bands(coord, [])

    def _get_img_save_kwargs(self, image: Any, path: str) -> dict[str, Any]:
        return save_arguments(image, Path(path).suffix)

    def _save_img_to_file(self, image: Any, path: str) -> bool:
        try:
            image.save(io.BytesIO(), **save_arguments(image, Path(path).suffix))
        except OSError as error:
            warnings.warn(f"Cutout could not be saved: {error}", DataWarning, stacklevel=2)
            return False
        return True
