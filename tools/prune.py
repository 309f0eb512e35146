"""Remove files from a layer that no function reads: nested tests, sources of compiled code, stubs, AWS services.

Usage: python prune.py DIRECTORY
"""

import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# `import astropy` imports astropy.tests, so these tests stay.
KEPT_TESTS = {Path("astropy/tests")}
UNREAD_SUFFIXES = {".a", ".pyi", ".c", ".h", ".pyx", ".pxd", ".pxi"}
AWS_SERVICES = {"cloudwatch", "dynamodb", "events", "lambda", "logs", "s3", "secretsmanager", "sns", "sqs", "ssm"}
AWS_SERVICES |= {"stepfunctions", "sts"}
# gwcs needs the parts of scipy that fit a WCS. Other parts are not imported by those.
UNREAD_SCIPY = ("cluster", "datasets", "differentiate", "integrate", "io", "misc", "ndimage", "odr", "signal", "stats")
# Documents are trees. Other parts of lxml, and the sources that Cython was given, are not imported by these.
UNREAD_LXML = ("html", "includes", "isoschematron")
UNREAD_FOLDERS = (
    "bin",
    "docs",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui",
    *(f"scipy/{part}" for part in UNREAD_SCIPY),
    *(f"lxml/{part}" for part in UNREAD_LXML),
)
# Pictures are PNG and JPEG. The modules for AVIF, WebP, text, colour profiles and Tk bring libraries of their own.
UNREAD_PICTURES = (
    "_avif.",
    "_webp.",
    "_imagingft.",
    "_imagingcms.",
    "_imagingtk.",
    "libavif-",
    "libwebp",
    "libsharpyuv-",
)
UNREAD_FONTS = ("libfreetype-", "libharfbuzz-", "liblcms2-", "libbrotli", "libpng16-")
# Only times in UT1 need the rotation of the Earth. Leap seconds stay.
UNREAD_DATA = ("finals2000A.all", "eopc04.1962-now")
UNREAD_FILES = (*UNREAD_PICTURES, *UNREAD_FONTS, *UNREAD_DATA, "cython_special.", "objectify.cpython-")
# GNU strip works only on files for the processor of the build machine, unless it is a cross version.
STRIP_COMMANDS = ("aarch64-linux-gnu-strip", "llvm-strip")
LOAD_SEGMENT = 1
HEADER_SIZE = 64


def main(root: Path) -> None:
    """Prune one layer in place."""
    for folder in list(plan_removed_folders(root)):
        shutil.rmtree(folder, ignore_errors=True)
    for path in list(root.rglob("*")):
        if path.is_file() and (path.suffix in UNREAD_SUFFIXES or path.name.startswith(UNREAD_FILES)):
            path.unlink()
    strip = next(filter(None, map(shutil.which, STRIP_COMMANDS)), None)
    if strip is not None:
        for path in root.rglob("*.so*"):
            strip_symbols(strip, path)


def plan_removed_folders(root: Path) -> Iterator[Path]:
    """Yield the folders to remove."""
    for name in UNREAD_FOLDERS:
        yield root / name
    for path in root.rglob("*"):
        if path.is_dir() and path.name in {"tests", "__pycache__"} and path.relative_to(root) not in KEPT_TESTS:
            yield path
    for client in ("botocore", "boto3"):
        for path in (root / client / "data").glob("*"):
            if path.is_dir() and path.name not in AWS_SERVICES:
                yield path


def strip_symbols(strip: str, path: Path) -> None:
    """Strip a shared object. Restore the original unless its loaded segments are the same byte for byte."""
    original = path.read_bytes()
    done = subprocess.run([strip, "--strip-unneeded", str(path)], check=False, capture_output=True)
    if done.returncode or read_loaded(path.read_bytes()) != read_loaded(original):
        print(f"prune: {path.name} keeps its symbols")
        path.write_bytes(original)


def read_loaded(elf: bytes) -> list[tuple[int, int, bytes]]:
    """Return (address, size in memory, bytes) of each loaded segment of a 64-bit little-endian ELF file.

    The ELF header is left out, because it has the position of the symbols.
    """
    (table,) = struct.unpack_from("<Q", elf, 32)
    entry_size, n_entries = struct.unpack_from("<HH", elf, 54)
    segments = []
    for number in range(n_entries):
        kind, _, offset, address, _, size, memory, _ = struct.unpack_from("<IIQQQQQQ", elf, table + number * entry_size)
        if kind == LOAD_SEGMENT:
            segments.append((address, memory, elf[max(offset, HEADER_SIZE) : offset + size]))
    return segments


if __name__ == "__main__":
    main(Path(sys.argv[1]))
