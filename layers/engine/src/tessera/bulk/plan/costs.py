"""What reads cost, and what a task can do. The numbers are parameters; the defaults are of a function of 2,048 MB."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from tessera.builds.estimate import LINK_BYTES_PER_SECOND

REQUEST_BYTES = 16_000_000
"""Largest size of a range request. Requests of this size use a connection fully."""
GB_SECOND_USD = 0.0000133334
"""Price of 1,024 MB of a function for a second, on arm64; the same as in tools/costs/prices.toml."""
TASK_GB = 2.0
"""Memory of a task, in GB of 1,024 MB."""
MOST_CUTOUTS = 20_000_000
"""Largest number of cutouts of a list. Each needs 53 bytes of memory while a list is planned."""


@dataclass(frozen=True, slots=True)
class ReadCosts:
    """What reading costs a task.

    Parameters
    ----------
    usd_per_second : float
        Dollars for a second of a task.
    usd_per_request, usd_per_byte : float
        Dollars for a request and for a byte that is read. Requests to a public bucket cost us nothing, and neither do
        bytes that stay in the region.
    latency : float
        Seconds from a request to its first byte.
    bandwidth : float
        Bytes per second that a task reads.
    in_flight : int
        Requests of a task at the same time.
    requests_per_second : float
        Largest number of requests per second of all tasks together: courtesy on a public bucket.
    concurrency : int
        Largest number of tasks at the same time.
    """

    usd_per_second: float = GB_SECOND_USD * TASK_GB
    usd_per_request: float = 0.0
    usd_per_byte: float = 0.0
    latency: float = 0.03
    bandwidth: float = LINK_BYTES_PER_SECOND
    in_flight: int = 32
    requests_per_second: float = math.inf
    concurrency: int = 40

    def pace(self, n_tasks: int) -> float:
        """Requests per second that each of `n_tasks` tasks may send, when as many run at once as may."""
        return self.requests_per_second / max(1, min(n_tasks, self.concurrency))

    def seconds(self, n_bytes: float, n_requests: float, pace: float = math.inf) -> float:
        """Time of a task that reads: the longest of what the network, the latency and the pace need."""
        return max(n_bytes / self.bandwidth, n_requests * self.latency / self.in_flight, n_requests / pace)

    def usd(self, n_bytes: float, n_requests: float, pace: float = math.inf) -> float:
        """Dollars for reading: time, requests and bytes."""
        time = self.usd_per_second * self.seconds(n_bytes, n_requests, pace)
        return time + self.usd_per_request * n_requests + self.usd_per_byte * n_bytes

    def gap_bytes(self, pace: float = math.inf) -> float:
        """Size of a gap from which on another request is cheaper than reading the gap."""
        request = self.usd_per_request + self.usd_per_second * max(self.latency / self.in_flight, 1 / pace)
        byte = self.usd_per_byte + self.usd_per_second / self.bandwidth
        return request / byte if byte else math.inf


LOCAL_COSTS = replace(ReadCosts(), usd_per_second=1.0, latency=0.0001, bandwidth=1e9, in_flight=4)
"""Costs of cubes in files of this machine: only time counts."""


@dataclass(frozen=True, slots=True)
class BandLimits:
    """What a task can do: a function of 2,048 MB and 900 s.

    Parameters
    ----------
    memory : int
        Bytes of pixels that are kept at the same time, because windows need them that are not complete yet.
    copies : int
        Copies of the pixels of a window that the work on it needs.
    most_memory : int
        Bytes of both. So a window has a largest size; a list with a larger one is not allowed.
    n_bytes : int
        Bytes that a band reads.
    seconds : float
        Time that a band needs: the longer of reading and of making results, and then writing them.
    targets : int
        Targets of a band.
    most_bytes, most_targets : int
        The same for bands of cubes of which otherwise more than `most_extra` would be read twice.
    most_extra : float
        Largest share by which all bands of a cube read more than each pixel of its windows once: rows and columns
        that two bands read, and gaps that are cheaper than a request.
    """

    memory: int = 900_000_000
    copies: int = 3
    most_memory: int = 1_540_000_000
    n_bytes: int = 25_000_000_000
    seconds: float = 700.0
    targets: int = 4096
    most_bytes: int = 45_000_000_000
    most_targets: int = 16_384
    most_extra: float = 0.05

    @property
    def window(self) -> int:
        """Largest size of the pixels of one window, in bytes."""
        return self.most_memory // (self.copies + 1)

    def kept(self, window: int) -> int:
        """Bytes that may be kept in a band whose largest window has `window` bytes."""
        return max(min(self.memory, self.most_memory - self.copies * window), window)

    @property
    def largest(self) -> BandLimits:
        """Limits of the largest bands."""
        return replace(self, n_bytes=self.most_bytes, targets=self.most_targets)


@dataclass(frozen=True, slots=True)
class WorkRates:
    """How fast a task works on pixels that it has read.

    A core of an x86 server makes light curves from 200 MB/s, and 40 to 60 target pixel files of 2.7 MB a second. The
    1.16 cores on arm64 of a function of 2,048 MB are taken for slower.

    Parameters
    ----------
    curve, file, pack : float
        Bytes of pixels of windows per second from which light curves, and target pixel files, are made, and of which
        target pixel files are packed into archives.
    target, file_target : float
        Seconds for each target, and for each of its target pixel files, whatever the size.
    pld, cbv : float
        Seconds for detrending a light curve: for the square of the number of cadences, and for each cadence. Both are
        some times what a core of such a server needs.
    write : float
        Bytes of results per second.
    start : float
        Seconds of a task before it reads.
    """

    curve: float = 160e6
    file: float = 80e6
    pack: float = 90e6
    target: float = 0.005
    file_target: float = 0.018
    pld: float = 8e-9
    cbv: float = 3e-6
    write: float = LINK_BYTES_PER_SECOND
    start: float = 3.0


@dataclass(frozen=True, slots=True)
class Prices:
    """List prices in dollars, US East (N. Virginia); the same as in tools/costs/prices.toml, which has the sources.

    Parameters
    ----------
    function_request : float
        A call of a function.
    get : float
        A request that reads an object of a bucket of ours, or a part of one.
    put : float
        A request that writes an object of S3, or a part of one.
    transition : float
        A transition of a standard workflow of Step Functions.
    gb_month : float
        A month of 10^9 bytes in S3 Standard.
    """

    function_request: float = 0.0000002
    get: float = 0.0000004
    put: float = 0.000005
    transition: float = 0.000025
    gb_month: float = 0.023


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """All that decides how a list is cut into bands, what it costs, and whether it may run.

    Parameters
    ----------
    costs : ReadCosts
        What reading costs.
    limits : BandLimits
        What a task can do.
    rates : WorkRates
        How fast a task works.
    prices : Prices
        Prices of everything else.
    kept_days : float
        Days that the results are kept.
    most_usd : float
        Largest price of a list.
    most_bands : int
        Largest number of bands of a list.
    most_cutouts : int
        Largest number of cutouts of a list; see `tessera.bulk.plan.seeing.find_sightings`.
    most_files : float
        Largest number of files of the results of a list.
    most_minutes : float
        Largest time of a list, in minutes.
    task_seconds : float
        Time after which a task is ended.
    """

    costs: ReadCosts = ReadCosts()
    limits: BandLimits = BandLimits()
    rates: WorkRates = WorkRates()
    prices: Prices = Prices()
    kept_days: float = 7.0
    most_usd: float = math.inf
    most_bands: int = 10_000
    most_cutouts: int = MOST_CUTOUTS
    most_files: float = math.inf
    most_minutes: float = math.inf
    task_seconds: float = 900.0
