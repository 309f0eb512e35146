"""Jobs: cutouts that take longer than a request may."""

from __future__ import annotations

from pathlib import Path

from tessera.client.cuts.cutting import Delivery, fetch, load, look, no_result, start_job
from tessera.client.cuts.orders import Sectors, check_form
from tessera.client.cuts.results import NOWHERE, ServiceCutout
from tessera.client.places import TargetInput
from tessera.client.records import JobState
from tessera.client.running import Blocking, Waiting, blocking, waiting
from tessera.client.watching import JOB, View, WorkOperations, cancel, read_id, watch
from tessera.client.wire.failures import DamagedAnswerError
from tessera.client.wire.steps import Answer, Service, Steps, work
from tessera.client.wire.transport import AsyncTransport, Transport
from tessera.cutouts.output_names import check_replaceable_archive
from tessera.cutouts.results import CutoutOptions, Size
from tessera.io.files import write_pieces
from tessera.io.outputs import check_output, output_folder
from tessera.io.sources import Location
from tessera.progress import ProgressInput, counting

_PIECE = 1 << 20


class JobOperations(WorkOperations[JobState]):
    """Operations of a job, as steps for a transport.

    Parameters
    ----------
    service : Service
        The service.
    state : JobState
        The job.
    target : object, optional
        Target as it was given.
    place : (float, float), optional
        Its position in degrees.
    """

    kind = JOB

    def __init__(
        self,
        service: Service,
        state: JobState,
        target: TargetInput = None,
        place: tuple[float, float] = NOWHERE,
    ) -> None:
        super().__init__(service, state, state.cancel_token)
        self.target, self.place = target, place

    def refresh(self) -> Steps[JobState]:
        """Ask for the state of the job.

        Returns
        -------
        JobState
            The state, which `state`, `status` and `progress` show from now on.

        Raises
        ------
        NothingFoundError
            When the service does not know the job any more.
        ServiceError
            When the service cannot answer.
        """
        self.state = yield from look(self.state.id, self.service)
        return self.state

    def wait(self, timeout: float | None = None, *, progress: ProgressInput = None) -> Steps[JobState]:
        """Wait until the job has ended.

        Parameters
        ----------
        timeout : float, optional
            Longest time to wait, in seconds; for ever by default.
        progress : bool or callable, optional
            How the progress is shown; see `tessera.progress.ProgressInput`. It counts cubes.

        Returns
        -------
        JobState
            State of the job: ``succeeded``, ``partial``, ``failed`` or ``cancelled``.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        FailedJobError
            When the job has not ended in this time. It goes on, and one may wait again.
        ServiceError
            When the service cannot answer.
        """
        with counting(progress, JOB.part) as show:
            return (yield from watch(self.state, self.refresh, self.service, JOB, timeout=timeout, show=show))

    def cancel(self, cancel_token: str | None = None) -> Steps[JobState]:
        """Withdraw from the job. It stops when all users who asked for the same cutouts have withdrawn.

        Parameters
        ----------
        cancel_token : str, optional
            `cancel_token` of the job that `Client.job` returned. A job that was opened by its id needs it.

        Returns
        -------
        JobState
            The job: cancelled, or as it is if others asked for it too.

        Raises
        ------
        RefusedRequestError
            When the job has ended already, or the token is missing or wrong.
        ServiceError
            When the service cannot answer.
        """
        token = cancel_token or self.cancel_token
        self.state = yield from cancel(self.state, token, self.service, JOB, JobState.read)
        return self.state

    def download(
        self, output_dir: Location | None = None, *, progress: ProgressInput = None
    ) -> Steps[list[ServiceCutout]]:
        """Load the files of the job, which is waited for.

        Parameters
        ----------
        output_dir : str or Path, optional
            Folder of the files; see `Client.cutouts`. Without it, the results contain the files as bytes.
        progress : bool or callable, optional
            See `wait`.

        Returns
        -------
        list of ServiceCutout
            One result per cube. Cubes that could not be cut have their reason.

        Raises
        ------
        FailedJobError
            When the job has no files: it failed, or was cancelled.
        ServiceError
            When the service cannot answer.
        """
        folder = output_folder(output_dir)
        yield from self._end(progress)
        return (yield from fetch(self.state, self.place, Delivery(folder, target=self.target), self.service))

    def save_archive(self, path: Location, *, progress: ProgressInput = None) -> Steps[Path]:
        """Load the zip of all files of the job, which is waited for.

        Parameters
        ----------
        path : str or Path
            Path of the zip. A zip that exists is replaced; something else is not.
        progress : bool or callable, optional
            See `wait`.

        Returns
        -------
        Path
            The path.

        Raises
        ------
        FailedJobError
            When the job has no files: it failed, or was cancelled.
        ServiceError
            When the service cannot answer, or the answer is no zip.
        """
        checked = check_output("path", path)
        check_replaceable_archive(checked)
        yield from self._end(progress)
        if not self.state.archive:
            raise no_result(self.state, self.service)
        with (yield from load(self.state.archive, self.service)) as answer:
            return (yield from work(lambda: _save(answer, checked)))

    def _end(self, progress: ProgressInput) -> Steps[None]:
        """Wait for the end. Links to results work for some minutes, so the service is asked for new ones."""
        yield from self.refresh()
        if not self.state.has_ended:
            yield from self.wait(progress=progress)


def _save(answer: Answer, path: Path) -> Path:
    answer.file.seek(0)
    if answer.file.read(2) != b"PK":
        raise DamagedAnswerError(f"{answer.where} sends {answer.kind or 'no type'} that is no zip archive")
    answer.file.seek(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_pieces(path, iter(lambda: answer.file.read(_PIECE), b""))


class JobsOperations:
    """Operations of a client for jobs, as steps for a transport."""

    service: Service

    def job(
        self,
        target: TargetInput,
        size: Size | None = None,
        *,
        sectors: Sectors = None,
        product: str = "SPOC",
        options: CutoutOptions | None = None,
        aperture: str | None = None,
    ) -> Steps[JobOperations]:
        """Begin a job that makes cutouts, or find it: the same cutouts are the same job, for all users.

        Parameters
        ----------
        target, size, sectors, product, options, aperture
            See `cutouts`.

        Returns
        -------
        Job
            The job.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        NothingFoundError
            When no cube has pixels there; the error says why.
        ServiceError
            When the service cannot answer.
        """
        order = check_form(size, sectors, product, options, aperture).order(target)
        settled, state = yield from start_job(order, self.service)
        return JobOperations(self.service, state, target, settled.place)

    def open_job(self, job: str) -> Steps[JobOperations]:
        """Find a job by its id or its address.

        Parameters
        ----------
        job : str
            Id or address of the job.

        Returns
        -------
        Job
            The job.

        Raises
        ------
        InvalidInputError
            When it is neither, or the address is that of another service.
        NothingFoundError
            When the service does not know the job.
        ServiceError
            When the service cannot answer.
        """
        return JobOperations(self.service, (yield from look(read_id(job, self.service, JOB), self.service)))


class Job(View[JobState], Blocking):
    """A job of a service, made by `tessera.Client.job`."""

    def __init__(self, transport: Transport, operations: JobOperations) -> None:
        self._transport, self._operations = transport, operations

    refresh = blocking(JobOperations.refresh)
    wait = blocking(JobOperations.wait)
    cancel = blocking(JobOperations.cancel)
    download = blocking(JobOperations.download)
    save_archive = blocking(JobOperations.save_archive)


class AsyncJob(View[JobState], Waiting):
    """A job of a service, made by `tessera.AsyncClient.job`: as `Job`, but all methods are coroutines."""

    def __init__(self, transport: AsyncTransport, operations: JobOperations) -> None:
        self._transport, self._operations = transport, operations

    refresh = waiting(JobOperations.refresh)
    wait = waiting(JobOperations.wait)
    cancel = waiting(JobOperations.cancel)
    download = waiting(JobOperations.download)
    save_archive = waiting(JobOperations.save_archive)
