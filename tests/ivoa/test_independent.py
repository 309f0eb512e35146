"""The clauses are right: an independent server keeps them too, but for those that are explained here one by one."""

from __future__ import annotations

import pytest

from tests.ivoa.clauses.report import CLAUSES, NotOfferedError, RefusedError
from tests.ivoa.clauses.site import Site

pytestmark = pytest.mark.xdist_group("independent")

EXPLAINED = {
    "sia_maxrec_zero": "QUERY_STATUS []: it answers with a resource of type meta, as SIA 1.0 did",
    "sia_maxrec_twice": "MAXREC twice: it takes the last value",
    "sia_error_status": "status 200: errors have status 200 in its SIA; DALI only says should",
    "sia_descriptor_of_soda": "no descriptor of SODA: it offers SODA by DataLink only; SIA only says should",
    "sia_open_ranges": "QUERY_STATUS ['ERROR']: it hands an infinite angle to its database, which refuses it",
    "sia_one_number": "QUERY_STATUS ['ERROR']: it reads two numbers, and refuses one",
    "sia_id_in_any_case": "ID=IVO://: its own documentation says that it compares identifiers with their case",
    "links_query_status": "no QUERY_STATUS: it stands before the resource of results, and not in it",
    "links_standard": "standardID is []: DALI only says should",
    "links_ucds": "service_def has meta.code: the standard says meta.ref",
    "links_faults": "AuthenticationFault: it has a label for foreign identifiers that the standard does not have",
    "links_responseformat_parameters": "status 422: it compares the media type as a whole",
    "soda_unknown_id": "media type text/html: 404 is a page for people",
    "soda_post": "status 500: it knows GET and HEAD only; its own message calls that a bug",
    "soda_three_factors": "POS has ('phys.angArea;obs': it has the UCDs of a draft, with a typing error in two of them",
    "soda_job_of_two_circles": "the job ends as ERROR: it takes one value, and does not label the error so",
    "soda_job_without_data": "the job ends as ERROR: it has no result, and its error is empty",
    "uws_unknown": "a child that does not exist has status 200: with an error in it",
    "uws_run_at_once": "the job is PENDING: it starts jobs by their phase only, which was optional before UWS 1.1",
    "uws_wrong_phase": "PHASE=START: status 200: with an error in it",
    "uws_wrong_values": "DESTRUCTION=tomorrow: status 200: with an error in it",
    "uws_no_error": "status 200: with an empty text",
    "uws_list_last": "LAST=2 lists: it lists the youngest first; the standard wants the order of their making",
    "uws_list_phases": "a new job is not in the list: it takes the last value",
}
"""Clause to words of the refusal, and after a colon why the clause is right for all that."""


@pytest.mark.parametrize("name", CLAUSES)
def test_an_independent_server_keeps_the_clause_or_is_explained(independent: Site, name: str) -> None:
    if name in EXPLAINED:
        with pytest.raises(RefusedError) as refusal:
            CLAUSES[name].check(independent)
        assert EXPLAINED[name].split(": ")[0] in str(refusal.value)
        return
    try:
        CLAUSES[name].check(independent)
    except NotOfferedError as reason:
        pytest.skip(str(reason))
