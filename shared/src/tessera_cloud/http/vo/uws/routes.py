"""Operations of jobs of SODA."""

from __future__ import annotations

from tessera_cloud.http.framework.operations import Group

group = Group("SODA jobs", "Jobs that cut cubes and images, by the protocol UWS 1.1.")
