"""Identifiers of cubes and images in the Virtual Observatory.

A cube is ``ivo://AUTHORITY/cubes?tess-s0001-1-1``, and a file of a dataset of images is
``ivo://AUTHORITY/images/DATASET?KEY``. They are compared without regard to case (IVOA Identifiers 2.0). The name of a
cube alone is understood too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote, unquote

from tessera_cloud.application.backend import Backend
from tessera_cloud.application.images.messages import ImageRow
from tessera_cloud.application.images.served import current_datasets
from tessera_cloud.application.index.served import current_index
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import NotFoundError

_IVOID = re.compile(r"ivo://(?P<authority>[^/?#]+)/(?P<path>[^?#]+)\?(?P<name>.+)", re.IGNORECASE)
ALLOWED = "an obs_publisher_did of /sia2/query, or the name of a cube, such as tess-s0001-1-1"


@dataclass(frozen=True, slots=True)
class PublishedImage:
    """A file of a dataset of images.

    Parameters
    ----------
    dataset : str
        Name of the dataset.
    row : ImageRow
        The file, as the index of the dataset has it.
    """

    dataset: str
    row: ImageRow


Published: TypeAlias = PublishedCube | PublishedImage
"""What has an identifier."""


def identifier(of: Published, authority: str) -> str:
    """Identifier of a cube or of a file of images (``obs_publisher_did``)."""
    if isinstance(of, PublishedCube):
        return f"ivo://{authority}/cubes?{of.obs_id}"
    return f"ivo://{authority}/images/{of.dataset}?{quote(of.row.found.key, safe='/')}"


def find_published(given: str, backend: Backend) -> Published:
    """Find the cube or the file of images that an identifier names.

    Parameters
    ----------
    given : str
        Identifier, or name of a cube, as a client wrote it.
    backend : Backend
        Index of the cubes and of the datasets of images.

    Raises
    ------
    NotFoundError
        If nothing has that identifier.
    """
    found = _find(given.strip(), backend)
    if found is None:
        raise NotFoundError.about("ID", given, ALLOWED)
    return found


def _find(given: str, backend: Backend) -> Published | None:
    match = _IVOID.fullmatch(given)
    if match is None:
        return _cube(given, backend)
    if match["authority"].lower() != backend.settings.ivo_authority.lower():
        return None
    path = match["path"].lower()
    if path == "cubes":
        return _cube(unquote(match["name"]), backend)
    if path.startswith("images/"):
        return _image(path.removeprefix("images/"), unquote(match["name"]), backend)
    return None


def _cube(name: str, backend: Backend) -> PublishedCube | None:
    wanted = name.lower()
    return next((cube for cube in current_index(backend).cubes if cube.obs_id.lower() == wanted), None)


def _image(dataset: str, name: str, backend: Backend) -> PublishedImage | None:
    """File of a dataset by its name."""
    served = next((each for each in current_datasets(backend) if each.dataset.name == dataset), None)
    row = served.with_key(name) if served else None
    return PublishedImage(dataset, row) if row else None
