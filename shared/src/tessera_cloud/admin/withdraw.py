"""``tessera-admin withdraw``: a cube is served no more, or again."""

from __future__ import annotations

import argparse

from tessera.errors import InvalidValueError
from tessera_cloud import keys
from tessera_cloud.admin.command import Operator, Subparsers, add_command
from tessera_cloud.application.index.footprint_index import read_index
from tessera_cloud.application.index.withdrawn import read_withdrawals, restore, withdraw
from tessera_cloud.errors import UsageError
from tessera_cloud.names import CubeId


def register(commands: Subparsers) -> None:
    """Add the command to the parser."""
    about = "serve a cube no more, or again; no build and no update of the index brings it back"
    parser = add_command(commands, "withdraw", about, run)
    parser.add_argument("cube", nargs="?", help="name of the cube, such as tess-s0001-4-2; without it, show the list")
    parser.add_argument("--restore", action="store_true", help="serve it again")
    parser.add_argument("--reason", default="", help="reason, for other operators")


def run(asked: argparse.Namespace, operator: Operator) -> int:
    """Withdraw a cube, restore it, or show the withdrawn cubes."""
    cube_id = None if asked.cube is None else _cube_id(asked.cube)
    if cube_id is None and asked.restore:
        raise UsageError.about("cube", None, "the name of a withdrawn cube, such as tess-s0001-4-2")
    services = operator.services(operator.stack(asked.stack))
    store, bucket = services.store, services.settings.cube_bucket
    if cube_id is None:
        for name, found in sorted(read_withdrawals(store, bucket).cubes.items()):
            print(f"{name}  {found.reason}".rstrip())  # noqa: T201 - a command prints
        return 0
    if asked.restore:
        changed = restore(cube_id, store=store, bucket=bucket)
    else:
        changed = withdraw(cube_id, asked.reason, store=store, bucket=bucket, now=operator.clock().timestamp())
    done = (
        ("is served again within a minute" if changed else "was not withdrawn")
        if asked.restore
        else ("is gone from the service within a minute" if changed else "was withdrawn before")
    )
    listed = any(cube.obs_id == cube_id.obs_id for cube in read_index(store, bucket)[0].cubes)
    note = "" if listed else f" (check the name: s3://{bucket}/{keys.FOOTPRINT_INDEX} does not list it)"
    print(f"{cube_id.obs_id} {done}{note}")  # noqa: T201 - a command prints
    return 0


def _cube_id(text: str) -> CubeId:
    try:
        return CubeId.parse(text)
    except InvalidValueError:
        raise UsageError.about("cube", text, "the name of a cube, such as tess-s0001-4-2") from None
