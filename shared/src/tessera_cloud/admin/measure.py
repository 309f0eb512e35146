"""``tessera-admin measure``: a cube of a public source is measured on this machine, for the service."""

from __future__ import annotations

import argparse
from tempfile import TemporaryDirectory

from tessera_cloud.admin.command import Operator, Subparsers, add_command
from tessera_cloud.application.index.catalogue import served_cube
from tessera_cloud.application.measures.places import measure_key
from tessera_cloud.errors import UsageError

_OTHERS = "a cube of a public source; a cube of the service itself is measured by its build"


def register(commands: Subparsers) -> None:
    """Add the command to the parser."""
    about = "measure a cube of a public source on this machine, and serve its reference frame, changes and vectors"
    parser = add_command(commands, "measure", about, run)
    parser.add_argument("cube", help="name of the cube, such as tess-s0001-4-2")


def run(asked: argparse.Namespace, operator: Operator) -> int:
    """Measure a cube, and put the files where the service finds them."""
    from tessera.measures.run import measure_cube  # noqa: PLC0415 - other commands need none of it

    services = operator.services(operator.stack(asked.stack))
    store, own = services.store, services.settings.cube_bucket
    cube = served_cube(asked.cube, services)
    if cube.bucket == own:
        raise UsageError.about("cube", cube.obs_id, _OTHERS)
    with TemporaryDirectory() as folder:
        made = measure_cube(f"s3://{cube.bucket}/{cube.key}", folder, progress=True)
        # The reference frame is the last: it says that the others are there.
        paths = [path for path in (made.changes, made.vectors, made.reference) if path is not None]
        for path in paths:
            end = path.name[path.name.rindex("-") :]
            store.write(own, measure_key(cube, end, own), path.read_bytes())
    names = ", ".join(path.name for path in paths)
    print(f"{cube.obs_id} is measured: the service has {names} from now on.")  # noqa: T201 - a command prints
    return 0
