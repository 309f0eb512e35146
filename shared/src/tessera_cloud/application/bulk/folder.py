"""The folder of the products of a list: objects below a prefix of the bucket of results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Protocol, cast

from tessera_cloud import keys
from tessera_cloud.application.results import ResultWriter
from tessera_cloud.ports import ObjectWriter, Uploads


class ProductStore(ObjectWriter, Uploads, Protocol):
    """Store of products, which are written whole or in parts."""


@dataclass(frozen=True)
class ProductFolder:
    """Products of a list; a `tessera.bulk.products.folder.Folder`.

    Parameters
    ----------
    store : ProductStore
        Store of the objects.
    bucket : str
        Bucket of results.
    job : str
        Id of the list.
    again : bool
        Whether a product may exist with other bytes. Otherwise an object in parts that exists stays as it is, because
        the same band has the same products.
    """

    store: ProductStore
    bucket: str
    job: str
    again: bool = False

    @contextmanager
    def create(self, name: str) -> Iterator[IO[bytes]]:
        """Write a product. After an error in the block, there is no object, or the one that was there before."""
        key = keys.bulk_products(self.job) + name
        with ResultWriter(self.store, self.bucket, key) as out:
            yield cast("IO[bytes]", out)
            if self.again:
                self.store.delete(self.bucket, key)
            out.keep()
