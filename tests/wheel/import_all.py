"""Import every module of the installed package. Run by the Python of an environment that has no sources on its path.

Usage: python -I import_all.py FOLDER [all]

A module that fails must name a package of an extra that is missing; with `all`, none may fail.
"""

import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import tessera
from tessera.extras import EXTRAS, MissingPackageError, import_extra


def main(environment: Path, *, everything: bool) -> None:
    """Check the package in an environment."""
    place = Path(tessera.__file__)
    assert place.is_relative_to(environment), f"{place} is not in {environment}"
    needs: dict[str, str] = {}
    names = [each.name for each in walk_packages(tessera.__path__, "tessera.") if each.name != "tessera.__main__"]
    for name in names:
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            needs[name] = (error.name or "").partition(".")[0]
    wrong = {name: package for name, package in needs.items() if package not in EXTRAS}
    assert not wrong, f"modules need packages that no extra brings: {wrong}"
    missing = [package for package in EXTRAS if is_missing(package)]
    assert not (everything and missing), f"[all] does not bring {missing}"
    assert everything or missing == list(EXTRAS), f"without extras there is {set(EXTRAS) - set(missing)}"
    print(f"{len(names) - len(needs)} of {len(names)} modules imported; {len(missing)} optional packages are missing")


def is_missing(package: str) -> bool:
    """Whether an optional package cannot be imported. The error has to name its extra."""
    told = ""
    try:
        import_extra(package, "tests")
    except MissingPackageError as error:
        told = str(error)
    assert not told or f"pip install 'tessera-cubes[{EXTRAS[package]}]'" in told, told
    return bool(told)


if __name__ == "__main__":
    main(Path(sys.argv[1]), everything="all" in sys.argv[2:])
