"""Read a Parquet file once in a process of its own: damaged pages may end the process that reads them."""

from __future__ import annotations

import json
import subprocess
import sys

from tessera.errors import UnreadableFileError

_PROGRAM = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
import arro3.io
try:
    for batch in arro3.io.read_parquet(sys.stdin.buffer.read(), batch_size=int(sys.argv[2])):
        pass
except BaseException as error:
    sys.stdout.write(ascii(str(error))[1:-1])
    sys.exit(1)
"""
_LONGEST = 120


def try_parquet(data: bytes, n_rows: int, name: str) -> None:
    """Refuse a Parquet file that cannot be read.

    arro3 reads pages in a function of C, in which an error of Rust aborts the process. The same bytes give the same
    pages, so a file that another process has read is safe in this one.

    Parameters
    ----------
    data : bytes
        The file.
    n_rows : int
        Number of rows that are read at once.
    name : str
        Name of the file, for errors.

    Raises
    ------
    UnreadableFileError
        When the file is damaged.
    """
    if not sys.executable:  # Python is part of another program
        return
    command = [sys.executable, "-I", "-c", _PROGRAM, json.dumps(sys.path), str(n_rows)]
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)  # noqa: S603 - ours
    if done.returncode:
        reason = " ".join(done.stdout.decode("ascii", "replace").split())[:_LONGEST] or "its pages are damaged"
        raise UnreadableFileError(name, f"it is not a table: {reason}")
