"""Operations of VOSI 1.1."""

from __future__ import annotations

from tessera_cloud.http.framework.operations import Group

group = Group("VOSI", "What the services of the Virtual Observatory can do, and whether they work.")
