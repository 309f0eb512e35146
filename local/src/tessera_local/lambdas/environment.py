"""Environment variables that every function has on one machine."""

from tessera_local.processes import CREDENTIALS
from tessera_local.template.deployed import REGION


def environment_of(s3_endpoint: str, control_endpoint: str) -> dict[str, str]:
    """Variables of the functions of a stack, without those that the template gives to each.

    Parameters
    ----------
    s3_endpoint, control_endpoint
        Addresses of S3 and of all other services.
    """
    return {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": control_endpoint,
        "AWS_ENDPOINT_URL_S3": s3_endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "TESSERA_NAMES_URL": "",  # the short list of names, which needs no network
        "TESSERA_STARS_URL": "",
        "TESSERA_SPEND_ALARM": "",  # there are no alarms
        "TESSERA_ORIGIN_SECRET": "",  # no distribution stands before the API, so nobody may speak for one
        **CREDENTIALS,
    }
