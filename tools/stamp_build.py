"""Writes the time of a build into the built templates, so that the functions get versions of their own.

SAM publishes a version of a function when its folder or the text of its environment changes. A new layer or a new value
of a parameter changes neither: the alias ``live`` would stay on the version before. The time of the build does.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

_RELEASE = re.compile(r"(?m)^( *RELEASE: ).*$")


def stamp(folder: Path, release: str) -> int:
    """Write a release into every built template below a folder.

    Parameters
    ----------
    folder : Path
        Folder that ``sam build`` made.
    release : str
        Text that no build before had.

    Returns
    -------
    int
        Number of templates that name the release.
    """
    stamped = 0
    for path in sorted(folder.rglob("template.yaml")):
        text, found = _RELEASE.subn(rf"\g<1>{release}", path.read_text(encoding="utf-8"))
        if found:
            path.write_text(text, encoding="utf-8")
            stamped += 1
    return stamped


def main() -> int:
    """Stamp the templates of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("release", help="the time of the build")
    given = parser.parse_args()
    folder, release = given.folder, given.release
    stamped = stamp(folder, release)
    if not stamped:
        print(f"no template below {folder} has RELEASE; allowed: the folder that sam build made")
        return 1
    print(f"{stamped} built templates have the release {release}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
