"""Run the API and a function under `sam local`, in containers of the real runtime. Without Docker, print why not.

Usage: python run_sam_local.py (from the root of the repository)

Containers run on this machine's processor, so a copy of the deployed code is built for it, below build/sam-local.
`sam local` does not find layers that a nested stack gets as parameters, so the copy is the stack of the service with
the layers in it. The requests need no AWS. They show that functions load their layers, read their settings and answer.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPY = ROOT / "build" / "sam-local"
SAM = ROOT / os.environ.get("SAM", ".venv-sam/bin/sam")  # noqa: TID251 - a script of the build
PORT = 3057
ARM = ("arm64", "aarch64")  # names that machines give to the processor of the layers
PARTS = ("functions", "layers", "shared", "statemachines", "tools", "requirements")
VALUES = {
    "LogLevel": "INFO",
    "LogRetentionDays": "1",
    "CutoutRateLimit": "50",
    "ClientRateLimit": "0",
    "CubeSources": '""',
}
"""Values of the parameters that do not accept any text."""
START_SECONDS = 180
OK = 200
REQUESTS = {
    "/openapi.json": OK,
    "/docs": OK,
    "/tesscut/api/v0.1/astrocut?ra=nowhere&dec=0": 400,
}
"""Requests to the API, and the expected statuses."""


def main() -> None:
    """Build, invoke one function, then send requests to the API."""
    if reason := why_not():
        print(f"sam local is skipped: {reason}")
        return
    build()
    answer = invoke("ServiceApiFunction", "/openapi.json")
    print(f"sam local invoke: GET /openapi.json: {answer['statusCode']}")
    if answer["statusCode"] != OK:
        sys.exit(f"ServiceApiFunction answered {answer}")
    with api() as url:
        for target, wanted in REQUESTS.items():
            found = status(url + target)
            print(f"sam local start-api: GET {target}: {found}")
            if found != wanted:
                sys.exit(f"GET {target} answered {found}, not {wanted}")


def why_not() -> str | None:
    """Reason why containers cannot run here; None if they can."""
    if shutil.which("docker") is None and "DOCKER_HOST" not in os.environ:  # noqa: TID251
        return "there is no docker command, and DOCKER_HOST is not set"
    found = subprocess.run(
        ["docker", "info", "--format", "{{.ServerVersion}}"], capture_output=True, text=True, check=False
    )
    return None if found.returncode == 0 else f"no Docker engine answers: {found.stderr.strip().splitlines()[-1:]}"


def build() -> None:
    """Copy the deployed code and build it for this machine's processor."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    for name in PARTS:
        shutil.copytree(ROOT / name, COPY / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    for link in (".venv-tools", ".venv-node"):
        (COPY / link).symlink_to(ROOT / link)
    (COPY / "tools/node_modules").symlink_to(ROOT / "tools/node_modules")
    template = with_layers(
        (ROOT / "stacks/layers.yaml").read_text(encoding="utf-8"),
        (ROOT / "stacks/service.yaml").read_text(encoding="utf-8"),
    )
    if platform.machine() not in ARM:
        template = template.replace("arm64", "x86_64")
    (COPY / "template.yaml").write_text(template, encoding="utf-8")
    run("build")


def with_layers(layers_file: str, nested: str) -> str:
    """Turn a nested stack into a template of its own, with the layers and with values for its parameters."""
    layers = re.findall(r"^  (\w+Layer):\n(?:    .*\n)+", layers_file, re.MULTILINE)
    bodies = [match[0] for match in re.finditer(r"^  \w+Layer:\n(?:    .*\n)+", layers_file, re.MULTILINE)]
    for name in layers:
        nested = re.sub(rf"^  {name}: \{{Type: String.*\n", "", nested, flags=re.MULTILINE)
    for name in re.findall(r"^  (\w+): \{Type: String", nested, re.MULTILINE):
        value = VALUES.get(name, f"local-{name.lower()}")
        nested = nested.replace(f"  {name}: {{Type: String", f"  {name}: {{Type: String, Default: {value}")
    return nested.replace("\nResources:\n", "\nResources:\n" + "\n".join(bodies) + "\n").replace("../", "")


def run(*arguments: str) -> str:
    """Run sam in the copy and return its output."""
    environment = {**os.environ, "PYTHON": str(SAM.parent / "python"), "SAM_CLI_TELEMETRY": "0"}  # noqa: TID251
    environment["PROCESSOR"] = "aarch64" if platform.machine() in ARM else "x86_64"
    done = subprocess.run([SAM, *arguments], cwd=COPY, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def invoke(function: str, path: str) -> dict[str, int]:
    """Invoke a function with a sample event for a path, and return its answer."""
    event = json.loads((ROOT / "events/service_api.json").read_text(encoding="utf-8"))
    event |= {"path": path, "resource": path, "httpMethod": "GET", "body": None, "queryStringParameters": None}
    event["requestContext"] |= {"path": path, "resourcePath": path, "httpMethod": "GET"}
    (COPY / "event.json").write_text(json.dumps(event), encoding="utf-8")
    answer: dict[str, int] = json.loads(
        run("local", "invoke", function, "--event", "event.json", *pulling()).splitlines()[-1]
    )
    return answer


@contextmanager
def api() -> Iterator[str]:
    """Address of the API, which runs until the end of the block."""
    command: list[str] = [str(SAM), "local", "start-api", "--port", str(PORT), "--warm-containers", "LAZY", *pulling()]
    with subprocess.Popen(command, cwd=COPY, stdout=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{PORT}"
        finally:
            process.terminate()


def pulling() -> list[str]:
    """Options that stop sam from downloading images that are here already."""
    return ["--skip-pull-image"] if os.environ.get("SAM_SKIP_PULL_IMAGE") else []  # noqa: TID251


def status(url: str) -> int:
    """Send a GET until there is an answer, and return its status."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=START_SECONDS) as answer:  # noqa: S310 - http on loopback
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


if __name__ == "__main__":
    main()
