"""Every check can fail: a service that is wrong in one way is refused by the check for it."""

from __future__ import annotations

import dataclasses

import pytest

from tests.ivoa.broken import (
    BrokenWeb,
    Fault,
    body,
    field,
    first_value_only,
    header,
    ignoring,
    replacing,
    setting,
    spoiling,
    status,
    upper_names_only,
)
from tests.ivoa.clauses import sites  # noqa: F401 - it declares the clauses
from tests.ivoa.clauses.report import CLAUSES, RefusedError
from tests.ivoa.clauses.site import Site

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("service")]

SMALL, OTHER = "tess-s0002-1-1", "tess-s0001-4-2"
BROKEN: dict[str, tuple[str, Fault]] = {
    "obscore_columns": ("/sia2", replacing('name="em_res_power"', 'name="em_power"')),
    "obscore_types": ("/sia2", field("s_ra", "datatype", "char")),
    "obscore_units": ("/sia2", field("s_fov", "unit", "arcmin")),
    "obscore_ucds": ("/sia2", field("t_min", "ucd", "time.start")),
    "obscore_utypes": ("/sia2", field("o_ucd", "utype", "obscore:Char.ucd")),
    "obscore_filled": ("/sia2", replacing("<TD>TESS</TD>", "<TD/>")),
    "obscore_unique": ("/sia2", replacing(SMALL, OTHER)),
    "obscore_values": ("/sia2", replacing("<TD>2</TD>", "<TD>7</TD>")),
    "sia_parameters": ("/sia2", spoiling("FOV", "wide")),
    "sia_no_parameters": ("/sia2", status(200, 204)),
    "sia_post": ("/sia2", Fault(methods=(("POST", "PUT"),))),
    "sia_names_in_any_case": ("/sia2", upper_names_only()),
    "sia_runid": ("/sia2", replacing('value="OK"', 'value="ERROR"')),
    "sia_maxrec_zero": ("/sia2", ignoring("MAXREC")),
    "sia_maxrec": ("/sia2", ignoring("MAXREC")),
    "sia_no_overflow": ("/sia2", replacing('name="QUERY_STATUS" value="OK"', 'name="QUERY_STATUS" value="OVERFLOW"')),
    "sia_maxrec_word": ("/sia2", ignoring("MAXREC")),
    "sia_maxrec_twice": ("/sia2", first_value_only()),
    "sia_responseformat": ("/sia2", header("content-type", "application/x-votable+xml")),
    "sia_responseformat_unknown": ("/sia2", ignoring("RESPONSEFORMAT")),
    "sia_error_status": ("/sia2", status(400, 200)),
    "sia_query_status": ("/sia2", replacing("<INFO name=.QUERY_STATUS.*?(/>|</INFO>)", "")),
    "sia_types": ("/sia2", replacing("<TD>cube</TD>", "<TD>spectrum</TD>")),
    "sia_access_url": ("/datalink", header("content-type", "application/fits")),
    "sia_descriptor_of_links": ("/sia2", replacing("DataLink#links", "DataLink#other")),
    "sia_descriptor_of_soda": ("/sia2", replacing("SODA#sync", "SODA#other")),
    "sia_describes_itself": ("/sia2", replacing("DataLink#links-1..", "SIA#query-2.0")),
    "sia_circle": ("/sia2", ignoring("POS")),
    "sia_large_circle": ("/sia2", setting("POS", "CIRCLE 0 0 0.1")),
    "sia_polygon": ("/sia2", ignoring("POS")),
    "sia_polygon_backwards": ("/sia2", ignoring("POS")),
    "sia_range": ("/sia2", ignoring("POS")),
    "sia_whole_sky": ("/sia2", setting("POS", "CIRCLE 0 0 0.1")),
    "sia_band_around_the_sky": ("/sia2", setting("POS", "RANGE 0 180 -90 90")),
    "sia_open_ranges": ("/sia2", ignoring("POS")),
    "sia_nothing_elsewhere": ("/sia2", ignoring("POS")),
    "sia_wrong_shapes": ("/sia2", replacing("UsageFault:", "Sorry:")),
    "sia_intervals": ("/sia2", ignoring("BAND")),
    "sia_one_number": ("/sia2", setting("TIME", "1")),
    "sia_open_intervals": ("/sia2", ignoring("TIME")),
    "sia_wrong_intervals": ("/sia2", ignoring("TIMERES")),
    "sia_numbers": ("/sia2", ignoring("SPATRES")),
    "sia_words": ("/sia2", ignoring("FORMAT", "DPTYPE")),
    "sia_words_exactly": ("/sia2", ignoring("COLLECTION")),
    "sia_wrong_calib": ("/sia2", ignoring("CALIB")),
    "sia_polarisation": ("/sia2", ignoring("POL")),
    "sia_id": ("/sia2", ignoring("ID")),
    "sia_id_in_any_case": ("/sia2", setting("ID", "ivo://example.org/other")),
    "sia_or": ("/sia2", first_value_only()),
    "sia_or_of_shapes": ("/sia2", first_value_only()),
    "sia_and": ("/sia2", ignoring("POS")),
    "links_media_type": ("/datalink", header("content-type", "text/xml")),
    "links_resource": ("/datalink", replacing("TABLEDATA", "BINARY")),
    "links_query_status": ("/datalink", replacing('name="QUERY_STATUS"', 'name="STATUS"')),
    "links_standard": ("/datalink", replacing('name="standardID"', 'name="standard"')),
    "links_columns": ("/datalink", replacing('name="content_length"', 'name="length"')),
    "links_ucds": ("/datalink", field("service_def", "ucd", "meta.code")),
    "links_content_length": ("/datalink", field("content_length", "unit", "kbyte")),
    "links_one_of_three": ("/datalink", replacing("NotFoundFault[^<]*", "")),
    "links_id": ("/datalink", replacing("ivo://example.org/nothing", "ivo://EXAMPLE.org/nothing")),
    "links_semantics": ("/datalink", replacing("#preview", "#picture")),
    "links_this": ("/datalink", replacing("#this", "#proc")),
    "links_description": (
        "/datalink",
        replacing("(<TR>(?:<TD>[^<]*</TD>|<TD/>|<TD></TD>){4})<TD>[^<]*</TD>", r"\1<TD></TD>"),
    ),
    "links_service_def": ("/datalink", replacing('(<RESOURCE[^>]*) ID="[^"]*"', r"\1")),
    "links_descriptors": ("/datalink", replacing('name="accessURL"', 'name="url"')),
    "links_unknown": ("/datalink", replacing("NotFoundFault", "DefaultFault")),
    "links_faults": ("/datalink", replacing("NotFoundFault:", "Sorry:")),
    "links_several": ("/datalink", first_value_only()),
    "links_without_id": ("/datalink", Fault(asked=lambda pairs: pairs or [("ID", SMALL)])),
    "links_post": ("/datalink", Fault(methods=(("POST", "PUT"),))),
    "links_responseformat": ("/datalink", header("content-type", "text/xml")),
    "links_responseformat_parameters": ("/datalink", header("content-type", "text/xml")),
    "links_responseformat_unknown": ("/datalink", ignoring("RESPONSEFORMAT")),
    "links_can_be_fetched": ("/preview|/file", status(200, 404)),
    "soda_circle": ("/soda/sync", header("content-type", "text/html", 200)),
    "soda_polygon": ("/soda/sync", ignoring()),
    "soda_pos": ("/soda/sync", replacing("SIMPLE  =", "SIMPLE   ")),
    "soda_pos_is_the_same": ("/soda/sync", ignoring("POS")),
    "soda_size": ("/soda/sync", ignoring("CIRCLE")),
    "soda_no_content": ("/soda/sync", status(204, 200)),
    "soda_wrong_shapes": ("/soda/sync", header("content-type", "application/json", 400)),
    "soda_unknown_id": ("/soda/sync", replacing("^[A-Za-z]+:", "Sorry:")),
    "soda_without_id": ("/soda/sync", status(400, 200)),
    "soda_several_values": ("/soda/sync", status(200, 500)),
    "soda_post": ("/soda/sync", Fault(methods=(("POST", "PUT"),))),
    "soda_names_in_any_case": ("/soda/sync", upper_names_only()),
    "soda_time": ("/soda/sync", ignoring("TIME")),
    "soda_band": ("/soda/sync", ignoring("BAND")),
    "soda_descriptor": ("/datalink", replacing("/soda/sync", "/soda/other")),
    "soda_three_factors": ("/datalink", field("CIRCLE", "ucd", "phys.argArea;obs")),
    "soda_ranges": ("/datalink", replacing("<MAX", "<MIN")),
    "soda_job": ("/results/", header("content-type", "text/html")),
    "soda_job_of_two_circles": ("/soda/async$", first_value_only()),
    "soda_job_without_data": ("/results/", body("Sorry", 200)),
    "uws_new_job": ("/phase$", replacing("PENDING", "QUEUED")),
    "uws_job_document": ("/soda/async/", replacing("quote", "quotation")),
    "uws_children": ("/owner$", status(200, 404)),
    "uws_parameters": ("/parameters$", replacing('id="CIRCLE"', 'id="SHAPE"')),
    "uws_unknown": ("/soda/async/", status(404, 200)),
    "uws_run": ("/phase$", status(303, 200)),
    "uws_run_at_once": ("/soda/async$", ignoring("PHASE")),
    "uws_results": ("/results/", status(200, 404)),
    "uws_end_time": ("/soda/async/", replacing("<uws:endTime>[^<]*</uws:endTime>", "")),
    "uws_abort": ("/phase$", header("location", "http://example.org/")),
    "uws_abort_later": ("/soda/async/", replacing("<uws:phase>(COMPLETED|ABORTED)<", "<uws:phase>ERROR<")),
    "uws_wrong_phase": ("/phase$", setting("PHASE", "RUN")),
    "uws_delete": ("/soda/async/", Fault(methods=(("DELETE", "GET"),))),
    "uws_action_delete": ("/soda/async/", ignoring("ACTION")),
    "uws_destruction": ("/destruction$", replacing("^20..", "2020")),
    "uws_execution_duration": ("/executionduration$", replacing("^[0-9]+", "7")),
    "uws_wrong_values": ("/destruction$", setting("DESTRUCTION", "2030-01-01T00:00:00Z")),
    "uws_error": ("/soda/async/", replacing("errorSummary", "summary")),
    "uws_no_error": ("/error$", status(404, 200)),
    "uws_more_parameters": ("/parameters$", replacing('id="RESPONSEFORMAT"', 'id="FORMAT"')),
    "uws_list": ("/soda/async$", replacing('version="1.1"', "")),
    "uws_list_phase": ("/soda/async$", ignoring("PHASE")),
    "uws_list_phases": ("/soda/async$", first_value_only()),
    "uws_list_wrong_phase": ("/soda/async$", ignoring("PHASE")),
    "uws_list_last": ("/soda/async$", ignoring("LAST")),
    "uws_list_wrong_last": ("/soda/async$", ignoring("LAST")),
    "uws_list_after": ("/soda/async$", ignoring("AFTER")),
    "uws_list_wrong_after": ("/soda/async$", ignoring("AFTER")),
    "uws_list_together": ("/soda/async$", ignoring("PHASE")),
    "uws_wait": ("/soda/async/", ignoring("WAIT")),
    "uws_wait_ended": ("/soda/async/", replacing("<uws:phase>ABORTED<", "<uws:phase>PENDING<")),
    "uws_wait_forever": ("/soda/async/", replacing("<uws:phase>COMPLETED<", "<uws:phase>ARCHIVED<")),
    "uws_wait_phase": ("/soda/async/", ignoring("WAIT")),
    "uws_wait_other_phase": (
        "/soda/async/",
        Fault(asked=lambda pairs: [pair for pair in pairs if pair != ("PHASE", "EXECUTING")]),
    ),
    "uws_wait_inactive_phase": (
        "/soda/async/",
        Fault(asked=lambda pairs: [pair for pair in pairs if pair != ("PHASE", "COMPLETED")]),
    ),
    "uws_wait_change": ("/soda/async/", replacing("COMPLETED", "ERROR")),
    "vosi_capabilities": ("/capabilities", header("content-type", "text/plain")),
    "vosi_standards": ("/capabilities", replacing("/soda/sync", "/soda/other")),
    "vosi_interfaces": ("/capabilities", replacing('role="std"', "")),
    "vosi_lists_itself": ("/capabilities", replacing("VOSI#availability", "VOSI#tables")),
    "vosi_availability": ("/availability", replacing(">true<", ">false<")),
    "vosi_times": (
        "/availability",
        replacing("</([a-z]*:?)available>", r"</\1available><\1upSince>yesterday</\1upSince>"),
    ),
}
"""Clause to where the service is wrong, and how."""


def test_every_clause_is_broken_once() -> None:
    assert BROKEN.keys() == CLAUSES.keys()


@pytest.mark.parametrize("name", BROKEN)
def test_a_wrong_service_is_refused(site: Site, name: str) -> None:
    where, fault = BROKEN[name]
    web = BrokenWeb(site.web, fault, where)
    broken = dataclasses.replace(site, web=web)
    if not name.startswith("obscore_") and name != "sia_types":
        vars(broken).update(rows=site.rows, row=site.row)
    with pytest.raises(RefusedError):
        CLAUSES[name].check(broken)
