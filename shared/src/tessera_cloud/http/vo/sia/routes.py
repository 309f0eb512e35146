"""Operations of Simple Image Access 2.0."""

from __future__ import annotations

from tessera_cloud.http.framework.operations import Group

group = Group("SIA", "Finds cubes and images by the protocol Simple Image Access 2.0.")
