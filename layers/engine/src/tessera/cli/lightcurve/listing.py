"""``tessera lightcurve`` of a list: its plan, or a folder with the light curves of all targets."""

from __future__ import annotations

import argparse
from typing import Any

from tessera.cli.lists.arguments import pixel_size, read_request
from tessera.cli.lists.plans import show_plan
from tessera.cli.lists.working import work_on_list
from tessera.errors import InvalidInputError
from tessera.lightcurves.quality import quality_bits

_OUTPUTS = {"parquet": "parquet", "fits": "lightcurves"}


def measure_list(options: argparse.Namespace) -> int:
    """Run the command for a list, and return the exit code.

    Raises
    ------
    InvalidInputError
        When an argument has a value that lists do not take.
    """
    if len(options.output) > 1:
        raise InvalidInputError("-o", " ".join(options.output), "one folder, or files")
    if options.quality != quality_bits("default"):
        allowed = "no choice for a list: its light curves have all cadences, with their quality bits"
        raise InvalidInputError("--quality", options.quality, allowed)
    if options.background not in (None, "median"):
        raise InvalidInputError("--background", options.background, "median for a list, or --no-background")
    if options.vectors is not None:
        raise InvalidInputError("--vectors", options.vectors, "none for a list: vectors are beside each cube")
    outputs = [_OUTPUTS[word] for word in options.format or ["parquet"]]
    wanted: dict[str, tuple[str, Any]] = {
        "outputs": ("--format", outputs),
        "size": ("--size", pixel_size(options.size)),
        "aperture": ("--mask", options.mask),
        "background": ("--no-background", not options.no_background),
        "detrend": ("--detrend", options.detrend),
    }
    request = read_request(options, wanted)
    if options.plan:
        return show_plan(request, as_json=options.json, quiet=options.quiet)
    return work_on_list(request, options.output[0], processes=options.processes, quiet=options.quiet)
