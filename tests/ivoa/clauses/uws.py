"""UWS 1.1: a job, its children, and its life. The cases of job_basics and job of uws-validator are among them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.ivoa.clauses.documents import parse
from tests.ivoa.clauses.jobs import PHASES, XML, Job, ended, job, pending, work, worker
from tests.ivoa.clauses.report import NotOfferedError, clause, require
from tests.ivoa.clauses.site import Site
from tests.ivoa.clauses.web import Answer

UWS = "UWS 1.1"
CHILDREN = ["phase", "executionduration", "destruction", "quote", "results", "parameters", "owner"]


def require_see(answer: Answer, url: str, about: str) -> None:
    require(answer.status == 303, f"{about}: status {answer.status}")
    told = answer.headers.get("location", "")
    require(told == url, f"{about}: Location is {told}, and not {url}")


@clause(UWS, "2.2.3.1", "A new job is answered by 303 and its address, below the job list; it is PENDING")
def uws_new_job(site: Site) -> None:
    with pending(site) as made:
        require(made.url.startswith(f"{worker(site)}/"), f"the job is at {made.url}")
        require(made.phase == "PENDING", f"its phase is {made.phase}")


@clause(UWS, "2.2.2.2", "A job is an XML document of UWS 1.1 with its id, phase, owner, times and lists")
def uws_job_document(site: Site) -> None:
    with pending(site) as made:
        answer = made.ask()
        require(answer.status == 200, f"status {answer.status}")
        require(answer.media_type in XML, f"media type {answer.media_type}")
        root = parse(answer.body)
        require(root.tag == "job", f"the root is {root.tag}")
        require(root.get("version") == "1.1", f"the version is {root.get('version')}")
        require(root.findtext("jobId") == made.url.rpartition("/")[2], f"jobId is {root.findtext('jobId')}")
        require(root.findtext("phase") == "PENDING", f"phase is {root.findtext('phase')}")
        for name in (
            "ownerId",
            "quote",
            "startTime",
            "endTime",
            "executionDuration",
            "destruction",
            "parameters",
            "results",
        ):
            require(root.find(name) is not None, f"{name} is missing")


@clause(UWS, "2.2.1", "Each child of a job answers")
def uws_children(site: Site) -> None:
    with pending(site) as made:
        for name in CHILDREN:
            require(made.ask(name).status == 200, f"{name}: status {made.ask(name).status}")
        require(made.ask("phase").media_type == "text/plain", "phase is no plain text")
        require(made.phase in PHASES, f"phase is {made.phase}")
        require(made.ask("executionduration").text.strip().isdigit(), "executionduration is no number")
        told = made.ask("destruction").text.strip()
        require(datetime.fromisoformat(told), f"destruction is {told}")
        for name in ("results", "parameters"):
            require(parse(made.ask(name).body).tag == name, f"{name} is no document of {name}")


@clause(UWS, "2.2.2.4", "The parameters of a job are those that it was made with")
def uws_parameters(site: Site) -> None:
    with pending(site) as made:
        told = {
            (each.get("id", "").upper(), each.text) for each in parse(made.ask("parameters").body).iter("parameter")
        }
        missing = set(work(site)) - told
        require(not missing, f"{sorted(missing)} is not among {sorted(told, key=str)}")


@clause("DALI 1.1", "4.2", "A job that does not exist is 404, and so is a child that does not")
def uws_unknown(site: Site) -> None:
    answer = site.get(f"{worker(site)}/no-such-job")
    require(answer.status == 404, f"a job that does not exist has status {answer.status}")
    with pending(site) as made:
        require(
            made.ask("nothing").status == 404, f"a child that does not exist has status {made.ask('nothing').status}"
        )


@clause(UWS, "2.2.3.5", "PHASE=RUN is answered by 303 to the job, which is then queued, executing or ended")
def uws_run(site: Site) -> None:
    with pending(site) as made:
        require_see(made.send("RUN"), made.url, "PHASE=RUN")
        phase = made.document().findtext("phase")
        require(phase in ("QUEUED", "EXECUTING", "COMPLETED"), f"the phase is {phase}")
        document = made.end()
        require(document.findtext("phase") == "COMPLETED", f"the job ends as {document.findtext('phase')}")


@clause(UWS, "2.2.3.1", "PHASE=RUN among the parameters of a new job starts it")
def uws_run_at_once(site: Site) -> None:
    with job(site, [*work(site), ("PHASE", "RUN")]) as made:
        require(made.phase != "PENDING", "the job is PENDING")
        document = made.end()
        require(document.findtext("phase") == "COMPLETED", f"the job ends as {document.findtext('phase')}")


@clause(
    UWS, "2.2.2.3", "A job that has completed has results with addresses that answer, and a time of its start and end"
)
def uws_results(site: Site) -> None:
    with ended(site) as made:
        document = made.document()
        results = made.results()
        require(results, "there are no results")
        for name, url in results.items():
            answer = site.get(url)
            require(answer.status == 200 and answer.body, f"the result {name} at {url}: status {answer.status}")
        told = {each.get("href") for each in document.iter("result")}
        require(told == set(results.values()), "the job and its list of results tell different addresses")
        for name in ("creationTime", "startTime"):
            require(document.findtext(name), f"{name} is empty")


@clause(UWS, "2.1.3", "A job that has ended has a time of its end")
def uws_end_time(site: Site) -> None:
    with ended(site) as made:
        require(made.document().findtext("endTime"), "endTime is empty")


@clause(UWS, "2.2.3.6", "PHASE=ABORT is answered by 303 to the job, which is then ABORTED, with a time of its end")
def uws_abort(site: Site) -> None:
    with pending(site) as made:
        require_see(made.send("ABORT"), made.url, "PHASE=ABORT")
        document = made.document()
        require(document.findtext("phase") == "ABORTED", f"the phase is {document.findtext('phase')}")
        require(document.findtext("endTime"), "endTime is empty")


@clause(UWS, "2.2.3.6", "A job that was started can be aborted")
def uws_abort_later(site: Site) -> None:
    with pending(site) as made:
        made.send("RUN")
        made.send("ABORT")
        phase = made.end().findtext("phase")
        require(phase in ("ABORTED", "COMPLETED"), f"the job ends as {phase}")


@clause(UWS, "2.1.3", "A phase that cannot be asked for is refused, and changes nothing")
def uws_wrong_phase(site: Site) -> None:
    with pending(site) as made:
        for phase in ("START", "COMPLETED"):
            answer = made.send(phase)
            require(400 <= answer.status < 500, f"PHASE={phase}: status {answer.status}")
        require(made.phase == "PENDING", f"the phase is {made.phase}")


@clause(UWS, "2.2.3.2", "DELETE is answered by 303 to the job list; the job is then gone, or archived")
def uws_delete(site: Site) -> None:
    with pending(site) as made:
        require_see(made.ask(method="DELETE", follow=False), worker(site), "DELETE")
        require_gone(made)


@clause(UWS, "2.2.3.2", "POST of ACTION=DELETE is the same as DELETE")
def uws_action_delete(site: Site) -> None:
    with pending(site) as made:
        require_see(made.ask("", [("ACTION", "DELETE")], method="POST", follow=False), worker(site), "ACTION=DELETE")
        require_gone(made)


def require_gone(made: Job) -> None:
    answer = made.ask()
    gone = answer.status == 404 or (answer.status == 200 and parse(answer.body).findtext("phase") == "ARCHIVED")
    require(gone, f"a job that was removed answers with status {answer.status}")


@clause(UWS, "2.2.3.3", "DESTRUCTION is set by POST, and the job tells the time that the service has set")
def uws_destruction(site: Site) -> None:
    with pending(site) as made:
        before = _time(made.ask("destruction").text)
        wanted = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=5)
        answer = made.ask(
            "destruction", [("DESTRUCTION", wanted.strftime("%Y-%m-%dT%H:%M:%SZ"))], method="POST", follow=False
        )
        require_see(answer, made.url, "DESTRUCTION")
        after = _time(made.ask("destruction").text)
        require(after in (before, wanted), f"destruction was {before}, {wanted} was asked for, and it is {after}")
        require(after == _time(made.document().findtext("destruction") or ""), "the job tells another time")


@clause(UWS, "2.2.3.4", "EXECUTIONDURATION is set by POST, and the job tells the seconds that the service has set")
def uws_execution_duration(site: Site) -> None:
    with pending(site) as made:
        answer = made.ask("executionduration", [("EXECUTIONDURATION", "30")], method="POST", follow=False)
        require_see(answer, made.url, "EXECUTIONDURATION")
        told = made.ask("executionduration").text.strip()
        require(told.isdigit(), f"executionduration is {told}")
        require(made.document().findtext("executionDuration") == told, "the job tells another duration")


@clause(UWS, "2.2.3.3", "A time of destruction, or a duration, that is none is refused")
def uws_wrong_values(site: Site) -> None:
    with pending(site) as made:
        for name, value in (("destruction", "tomorrow"), ("executionduration", "long")):
            answer = made.ask(name, [(name.upper(), value)], method="POST", follow=False)
            require(400 <= answer.status < 500, f"{name.upper()}={value}: status {answer.status}")


def _time(text: str) -> datetime:
    told = datetime.fromisoformat(text.strip())
    return told if told.tzinfo else told.replace(tzinfo=UTC)


@clause(UWS, "2.1.7", "A job that fails is in ERROR, with a summary, and its error can be read with status 200")
def uws_error(site: Site) -> None:
    wrong = list(site.wrong_work) or [("ID", site.did), ("CIRCLE", "x 1 1")]
    answer = site.web.ask(worker(site), wrong, method="POST", follow=False)
    if 400 <= answer.status < 500:
        raise NotOfferedError("jobs that fail: they are refused when they are made")
    require(answer.status == 303, f"status {answer.status}")
    made = Job(site, answer.headers["location"])
    try:
        made.send("RUN")
        document = made.end()
        require(document.findtext("phase") == "ERROR", f"the job ends as {document.findtext('phase')}")
        summary = document.find("errorSummary")
        require(summary is not None and (summary.findtext("message") or "").strip(), "there is no errorSummary")
        error = made.ask("error")
        require(error.status == 200 and error.body, f"the error has status {error.status}")
    finally:
        made.ask(method="DELETE", follow=False)


@clause("DALI 1.1", "4.2", "The error of a job that has not failed is 404")
def uws_no_error(site: Site) -> None:
    with pending(site) as made:
        require(made.ask("error").status == 404, f"status {made.ask('error').status}")


@clause(UWS, "2.1.11", "Parameters may be added to a job that is PENDING, or are refused")
def uws_more_parameters(site: Site) -> None:
    with pending(site) as made:
        answer = made.ask("parameters", [("RESPONSEFORMAT", "votable")], method="POST", follow=False)
        require(answer.status == 303 or 400 <= answer.status < 500, f"status {answer.status}")
        told = {each.get("id", "").upper() for each in parse(made.ask("parameters").body).iter("parameter")}
        require(
            ("RESPONSEFORMAT" in told) == (answer.status == 303),
            f"status {answer.status}, and the parameters are {sorted(told)}",
        )
