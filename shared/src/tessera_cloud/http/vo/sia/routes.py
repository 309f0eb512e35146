"""Operations of Simple Image Access 2.0."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud import keys
from tessera_cloud.application.results import ResultWriter
from tessera_cloud.application.vo.obscore.search import find_observations
from tessera_cloud.http.charging import charge
from tessera_cloud.http.framework.answers import result_url, see_other
from tessera_cloud.http.framework.links import link
from tessera_cloud.http.framework.operations import NO_STORE, Answer, Group, Operation, Request
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.http.vo.descriptors import links_descriptor, soda_descriptors
from tessera_cloud.http.vo.sia.formats import describe_answer, describe_itself, write_found
from tessera_cloud.http.vo.sia.inputs import SiaQuery
from tessera_cloud.http.vo.sia.parameters import parse_request

QUERY = "/sia2/query"
_ID = "obs_publisher_did"
_FILE = {"text/csv": "sia2.csv", "text/tab-separated-values": "sia2.tsv"}
group = Group("SIA", "Finds cubes and images by the protocol Simple Image Access 2.0.")


def query(request: Request) -> Response[Any]:
    """Rows of ObsCore for the cubes and images that satisfy the constraints."""
    given = request.parameters(multipart=True)
    wanted = parse_request(given)
    svc, base = request.services, request.base
    found = find_observations(wanted.constraints, wanted.most, svc)
    note(n_rows=found.n_rows, cut=int(found.is_cut), run_id=",".join(given.get("runid", ()))[:64])
    name = _FILE.get(wanted.content_type, "sia2.xml")
    key = keys.image_result(request.id, f"-{name}")
    with ResultWriter(svc.store, svc.settings.result_bucket, key) as out:
        write_found(
            found,
            out,
            wanted.content_type,
            address=lambda identifier: link(base, "/datalink/links", ID=identifier),
            infos=describe_answer(given),
            descriptors=[links_descriptor(base, _ID), *soda_descriptors(base, _ID), describe_itself(link(base, QUERY))],
        )
        data = out.finish()
    if data is None:
        charge(request, out.n_bytes)
        return see_other(result_url(svc, key, name, wanted.content_type))
    return Response(HTTPStatus.OK, wanted.content_type, data, headers=dict(NO_STORE), compress=True)


for _method in ("GET", "POST"):
    group.add(
        Operation(
            _method,
            QUERY,
            f"sia2_query_{_method.lower()}",
            "Find cubes and images",
            (
                Answer(200, "Rows of ObsCore 1.1", content_type="application/x-votable+xml"),
                Answer(303, "The address of a large answer", content_type="text/plain", location=True),
            ),
            description="Finds cubes and images by position, time and other properties, as Simple Image Access 2.0 "
            "says. There is a row for each cube and for each file of a dataset of images. The address in `access_url` "
            "leads to all that belongs to it. Parameters that the standard does not know are ignored. Errors are "
            "VOTables, too.",
            query=SiaQuery,
            form=True,
            multipart=True,
        )
    )(query)
