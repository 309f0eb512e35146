"""Operations on images in our own API: datasets, images of a place, and cutouts."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera.sky.footprint import sky_box
from tessera_cloud.application.images.answer import answer_images
from tessera_cloud.application.images.index import ServedDataset
from tessera_cloud.application.images.messages import ImageFootprint, ImageRow
from tessera_cloud.application.images.order import place_image_order
from tessera_cloud.application.images.served import current_datasets, find_dataset
from tessera_cloud.errors import NotFoundError, as_text
from tessera_cloud.http.charging import charge
from tessera_cloud.http.framework.operations import Answer, Group, Operation, Request
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.http.images.models import (
    DatasetItem,
    DatasetList,
    ImageCutoutQuery,
    ImageItem,
    ImageList,
    ImagePart,
    ImageSearchQuery,
)
from tessera_cloud.http.images.parameters import to_image_request
from tessera_cloud.http.images.send import CONTENT, send
from tessera_cloud.http.models import ErrorDocument

group = Group("Images", "Cutouts of FITS and ASDF images, from datasets that the operator names.")


def _item(served: ServedDataset) -> DatasetItem:
    dataset = served.dataset
    return DatasetItem(
        name=dataset.name,
        title=dataset.title,
        mission=dataset.mission,
        kind=dataset.kind,
        bands=list(dataset.bands),
        images=len(served.rows),
        indexed_at=served.index.indexed_at if served.index else None,
        survey=dataset.zcut or None,
        hapcut=dataset.hapcut,
    )


@group.add(
    Operation(
        "GET",
        "/v1/images",
        "list_datasets",
        "Datasets of images",
        (Answer(200, "The datasets", DatasetList),),
        description="Lists all datasets out of which images can be cut.",
    )
)
def list_datasets(request: Request) -> DatasetList:
    """All datasets."""
    return DatasetList(datasets=[_item(served) for served in current_datasets(request.services)])


def _part(image: ImageFootprint) -> ImagePart:
    return ImagePart(
        extension=image.extension,
        name=image.name,
        rows=image.rows,
        columns=image.columns,
        arcseconds_per_pixel=round(3600 * image.column_scale, 6),
        s_region=image.s_region,
    )


def _found(dataset: str, row: ImageRow, images: list[ImageFootprint]) -> ImageItem:
    return ImageItem(
        dataset=dataset,
        name=row.found.name,
        band=row.band or None,
        bytes=row.found.size,
        images=[_part(image) for image in images],
    )


@group.add(
    Operation(
        "GET",
        "/v1/images/search",
        "search_images",
        "Images that see a place",
        (Answer(200, "The images", ImageList), Answer(404, "There is no dataset of this name", ErrorDocument)),
        description="Finds files whose footprint shares a point with the square around a circle.",
        query=ImageSearchQuery,
    )
)
def search_images(request: Request, query: ImageSearchQuery) -> ImageList:
    """Files whose footprint shares a point with the square around a circle."""
    svc = request.services
    chosen = [find_dataset(query.dataset, svc)] if query.dataset else current_datasets(svc)
    region = sky_box(query.ra % 360.0, query.dec, 2 * query.radius, 2 * query.radius)
    found = [_found(served.dataset.name, *hit) for served in chosen for hit in served.find(region)]
    note(n_rows=len(found))
    return ImageList(images=found[: query.limit], complete=len(found) <= query.limit)


def _no_image(query: ImageCutoutQuery, served: ServedDataset) -> NotFoundError:
    """Error of a position at which no image, or none of the wanted bands, has pixels."""
    where = f"ra {as_text(query.ra)}, dec {as_text(query.dec)}"
    there = sorted({row.band for row, _ in served.find(sky_box(query.ra % 360.0, query.dec, 0.0, 0.0)) if row.band})
    wanted = set(query.bands.split(",")) - {""}
    if wanted and there and not wanted & set(there):
        message = f"bands is {query.bands}; {where} is in images of the bands {', '.join(there)}"
        return NotFoundError(message, parameter="bands", value=query.bands, allowed=", ".join(there))
    message = f"no image of {served.dataset.name} has pixels around {where}; /v1/images/search finds images of a place"
    return NotFoundError(message, parameter="position", allowed="a place of /v1/images/search")


@group.add(
    Operation(
        "GET",
        "/v1/images/{dataset}/cutout",
        "cut_images",
        "Cutouts of the images of a dataset around a position",
        (
            *(Answer(200, f"Cutouts as {suffix[1:].upper()}", content_type=kind) for suffix, kind in CONTENT.items()),
            Answer(303, "The address of a larger file", content_type="text/plain", location=True),
            Answer(404, "There is no dataset of this name, or no image of it has pixels there", ErrorDocument),
            Answer(413, "The cutouts are too large; the answer says what is allowed", ErrorDocument),
        ),
        description="Gives one file, or a zip of several. Its member failures.json names files that could not be cut.",
        query=ImageCutoutQuery,
        paid=True,
    )
)
def cut_images(request: Request, query: ImageCutoutQuery) -> Response[Any]:
    """Cutouts of images."""
    svc = request.services
    served = find_dataset(request.path["dataset"], svc)
    order = place_image_order(to_image_request(query, served.dataset), [served])
    note(dataset=served.dataset.name, images=len(order.images))
    charge(request, 0)
    answer = answer_images(order, svc)
    if not answer.name:
        raise _no_image(query, served)
    return send(answer, request)
