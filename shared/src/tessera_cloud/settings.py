"""The environment of a function, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are and how large they may be.

    Parameters
    ----------
    ffi_bucket : str
        Where frames land.
    ffi_prefix, tica_prefix : str
        Prefixes of SPOC and of TICA frames.
    cube_bucket : str
        Cubes, plans and the footprint index.
    result_bucket : str
        Answers that are too large to be sent inline.
    block_memory_mb : int
        Memory of the function that builds a block.
    block_concurrency : int
        Blocks that are built side by side.
    max_gets_per_second : float
        Requests per second for frames, of all tasks of a build together.
    memory_mb : int
        Memory of this function.
    """

    ffi_bucket: str
    ffi_prefix: str
    tica_prefix: str
    cube_bucket: str
    result_bucket: str
    block_memory_mb: int
    block_concurrency: int
    max_gets_per_second: float
    memory_mb: int

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the variables that template.yaml sets."""
        return cls(
            ffi_bucket=environ["TESSERA_FFI_BUCKET"],
            ffi_prefix=environ.get("TESSERA_FFI_PREFIX", "tess/public/ffi/"),
            tica_prefix=environ.get("TESSERA_TICA_PREFIX", "tess/public/tica/"),
            cube_bucket=environ["TESSERA_CUBE_BUCKET"],
            result_bucket=environ["TESSERA_RESULT_BUCKET"],
            block_memory_mb=int(environ.get("TESSERA_BLOCK_MEMORY_MB", "2048")),
            block_concurrency=int(environ.get("TESSERA_BLOCK_CONCURRENCY", "8")),
            max_gets_per_second=float(environ.get("TESSERA_MAX_GETS_PER_SECOND", "2000")),
            memory_mb=int(environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "2048")),
        )
