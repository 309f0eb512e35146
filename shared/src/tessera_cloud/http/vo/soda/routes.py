"""Operations of SODA 1.0."""

from __future__ import annotations

from tessera_cloud.http.framework.operations import Group

group = Group("SODA", "Cuts cubes and images by the protocol SODA 1.0.")
