"""Files that make the light curves a catalogue in the layout of HATS, which lsdb opens.

HATS (Hierarchical Adaptive Tiling Scheme, IVOA Note): a folder for each HEALPix pixel that has rows. Here a pixel has a
folder with the files of all bands that reach it (``hats_npix_suffix=/``).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence

from tessera import __version__
from tessera.bulk.options import BulkOptions
from tessera.bulk.products.columns import HEALPIX, PURPOSE, arrow_schema, catalogue_columns, file_facts
from tessera.bulk.products.folder import Folder, ProductFile, write_product
from tessera.bulk.products.sky import CATALOGUE, INDEX_ORDER, PARTITION_FILE
from tessera.bulk.products.tables import write_table
from tessera.extras import import_extra

_PARTITION = re.compile(f"{CATALOGUE}/{PARTITION_FILE}")
_KILOBYTE = 1024


def write_catalogue(
    folder: Folder, options: BulkOptions, files: Sequence[ProductFile], n_rows: int
) -> list[ProductFile]:
    """Write what stands beside the Parquet files of the bands. None of them is read.

    Parameters
    ----------
    folder : Folder
        Folder of the results.
    options : BulkOptions
        What was asked for.
    files : sequence of ProductFile
        Files of the bands.
    n_rows : int
        Light curves in the catalogue.

    Raises
    ------
    MissingPackageError
        When Arrow is not installed.
    OSError
        When a file cannot be written.
    """
    parts = [(file, match) for file in files if (match := _PARTITION.fullmatch(file.name))]
    pixels = sorted({(int(match[1]), int(match[2])) for _, match in parts})
    lines = _properties(options, n_rows, sum(file.size for file, _ in parts))
    partitions = ["Norder,Npix", *(f"{order},{pixel}" for order, pixel in pixels)]
    return [
        write_product(folder, f"{CATALOGUE}/dataset/_common_metadata", common_metadata(options)),
        write_product(folder, f"{CATALOGUE}/partition_info.csv", _text(partitions)),
        write_product(folder, f"{CATALOGUE}/properties", _text(lines)),
        write_product(folder, f"{CATALOGUE}/hats.properties", _text(lines)),
    ]


def common_metadata(options: BulkOptions) -> bytes:
    """A Parquet file without rows, which has the columns of the catalogue."""
    arrow = import_extra("arro3.core", PURPOSE)
    content = io.BytesIO()
    table = arrow.Table.from_batches([], schema=arrow_schema(options))
    write_table(content, table, catalogue_columns(options), file_facts(options, __version__))
    return content.getvalue()


def _properties(options: BulkOptions, n_rows: int, n_bytes: int) -> list[str]:
    values = {
        "obs_collection": "tessera_lightcurves",
        "dataproduct_type": "object",
        "obs_title": f"Light curves of targets in full-frame images of TESS ({options.product})",
        "hats_nrows": n_rows,
        "hats_col_ra": "ra",
        "hats_col_dec": "dec",
        "hats_col_healpix": HEALPIX,
        "hats_col_healpix_order": INDEX_ORDER,
        "hats_npix_suffix": "/",
        "hats_estsize": -(-n_bytes // _KILOBYTE),
        "hats_builder": f"tessera v{__version__}",
        "hats_version": "v1.0",
    }
    return [f"{name}={value}" for name, value in values.items()]


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
