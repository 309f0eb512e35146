"""Operations of jobs of SODA, by the protocol UWS 1.1."""

from __future__ import annotations

from tessera_cloud.http.vo.uws import job_routes, part_routes
from tessera_cloud.http.vo.uws.common import group

__all__ = ["group", "job_routes", "part_routes"]
