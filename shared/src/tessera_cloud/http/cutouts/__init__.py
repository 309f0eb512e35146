"""Operations of `/v1` for cutouts and jobs."""
