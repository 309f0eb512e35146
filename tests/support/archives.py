"""Files of archives."""

from __future__ import annotations

import zipfile

from tessera.provenance.crate import CRATE


def file_names(archive: zipfile.ZipFile) -> list[str]:
    """Names of the members of an archive of our own API but for the description, which must be the last one."""
    *names, last = archive.namelist()
    assert last == CRATE
    return names
