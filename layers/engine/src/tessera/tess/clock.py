"""astropy's `Time`, with the leap seconds of this machine. All modules import it from here.

At its first conversion from or to UTC, astropy looks for a table of leap seconds that has not expired, if necessary on
the internet. Tessera also works where there is none, such as in a Lambda function in a private network, and must not
wait for it. So this module makes the first conversion, without a download. An expired table is right as long as no new
leap second was announced; the last one was in 2017.
"""

from __future__ import annotations

import warnings

from astropy.time import Time
from astropy.utils import iers

__all__ = ["Time"]


def _use_local_leap_seconds() -> None:
    with warnings.catch_warnings(), iers.conf.set_temp("auto_download", value=False):
        warnings.simplefilter("ignore")  # that the table has expired
        _ = Time(2451545.0, format="jd", scale="utc").tai


_use_local_leap_seconds()
