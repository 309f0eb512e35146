"""Operations of DataLink 1.1."""

from __future__ import annotations

from tessera_cloud.http.framework.operations import Group

group = Group("DataLink", "Lists what belongs to a cube or an image, by the protocol DataLink 1.1.")
