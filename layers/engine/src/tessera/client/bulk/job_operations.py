"""The operations of a list that a service works on: waiting for it, cancelling it, loading its products."""

from __future__ import annotations

from pathlib import Path

from astropy.table import Table

from tessera.bulk.status import COLUMNS, parse_status
from tessera.checks import check_integer, check_switch
from tessera.client.bulk.downloads import fetch_file, folder_of
from tessera.client.bulk.records import BulkFile, BulkState, FilePage
from tessera.client.watching import LIST, WorkOperations, cancel, watch
from tessera.client.wire.documents import ask
from tessera.client.wire.exchange import exchange
from tessera.client.wire.failures import FailedJobError
from tessera.client.wire.steps import Send, Service, Steps, Together, work
from tessera.client.wire.transport import CONNECTIONS
from tessera.io.files import write_pieces
from tessera.io.sources import Location
from tessera.io.temporary import largest_temporary
from tessera.progress import Counter, ProgressInput, counting

_PAGE = 1000
_PARALLEL = 8
_MANIFEST = "manifest.json"


class BulkOperations(WorkOperations[BulkState]):
    """Operations of a list, as steps for a transport.

    Parameters
    ----------
    service : Service
        The service.
    state : BulkState
        The list.
    """

    kind = LIST

    def __init__(self, service: Service, state: BulkState) -> None:
        super().__init__(service, state, state.cancel_token)

    def refresh(self) -> Steps[BulkState]:
        """Ask how far the list is.

        Returns
        -------
        BulkState
            The state, which `state`, `status` and `progress` show from now on.

        Raises
        ------
        NothingFoundError
            When the service does not know the list any more.
        ServiceError
            When the service cannot answer.
        """
        self.state = yield from look(self.state.id, self.service)
        return self.state

    def wait(self, timeout: float | None = None, *, progress: ProgressInput = None) -> Steps[BulkState]:
        """Wait until the list has ended.

        Parameters
        ----------
        timeout : float, optional
            Longest time to wait, in seconds; for ever by default.
        progress : bool or callable, optional
            How the progress is shown; see `tessera.progress.ProgressInput`. It counts rows.

        Returns
        -------
        BulkState
            Its state: ``succeeded``, ``partial``, ``failed`` or ``cancelled``.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        FailedJobError
            When the list has not ended in this time. It goes on, and one may wait again.
        ServiceError
            When the service cannot answer.
        """
        with counting(progress, LIST.part) as show:
            return (yield from watch(self.state, self.refresh, self.service, LIST, timeout=timeout, show=show))

    def cancel(self, cancel_token: str | None = None) -> Steps[BulkState]:
        """Withdraw from the list. It stops when all users who asked for the same have withdrawn.

        Parameters
        ----------
        cancel_token : str, optional
            `cancel_token` of the list that `Client.bulk` returned. A list that was opened by its id needs it.

        Returns
        -------
        BulkState
            The list: cancelled, or as it is if others asked for it too. What was made stays and can be loaded.

        Raises
        ------
        RefusedRequestError
            When the list has ended already, or the token is missing or wrong.
        ServiceError
            When the service cannot answer.
        """
        token = cancel_token or self.cancel_token
        self.state = yield from cancel(self.state, token, self.service, LIST, BulkState.read)
        return self.state

    def results(self) -> Steps[list[BulkFile]]:
        """List the products that are finished now, each with a link that works for some minutes.

        Returns
        -------
        list of BulkFile
            The products.

        Raises
        ------
        ServiceError
            When the service cannot answer.
        """
        files, after = list[BulkFile](), ""
        while True:
            page = yield from self._page(after)
            files += page.files
            after = page.following
            if not after:
                return files

    def download(
        self,
        output_dir: Location,
        *,
        wait: bool = True,
        parallel: int = _PARALLEL,
        progress: ProgressInput = None,
    ) -> Steps[list[Path]]:
        """Load the products to a folder.

        A file appears when it is complete and its SHA-256 is right. Files that are there are not loaded again. After an
        interruption, the same call goes on where it ended.

        Parameters
        ----------
        output_dir : str or Path
            Folder of the products: an empty one, or one that has products of the same list.
        wait : bool, optional
            Whether the end of the list is waited for. Otherwise, the products that are finished now are loaded.
        parallel : int, optional
            Number of files that are loaded at the same time, 1 to 64.
        progress : bool or callable, optional
            How the progress is shown; see `tessera.progress.ProgressInput`. It counts rows while the list is waited
            for, then files.

        Returns
        -------
        list of Path
            Paths of the products.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed, or the folder has something else.
        FailedJobError
            When the list has ended and has no product.
        ServiceError
            When the service cannot answer, or a product has another checksum than the service says.
        """
        n_files, waits = check_integer("parallel", parallel, 1, CONNECTIONS), check_switch("wait", wait)
        with folder_of(output_dir, self.state.id, str(self.service.address)) as folder:
            yield from self.refresh()
            if waits:
                yield from self.wait(progress=progress)
            with counting(progress, "file") as counter:
                paths = yield from self._load_all(folder, n_files, counter)
                paths += yield from self._load_manifest(folder)
        if not paths and self.state.has_ended:
            raise no_product(self.state, self.service)
        return paths

    def status_table(self) -> Steps[Table]:
        """Load the table that says what became of each row. It is there when the list has ended.

        Returns
        -------
        Table
            The columns of ``status.csv``: row, target, tic, ra, dec, cube, sector, camera, ccd, best, status, reason,
            product, file, member and sha256. Rows are counted from 1.

        Raises
        ------
        FailedJobError
            When there is no such table yet.
        ServiceError
            When the service cannot answer.
        """
        url = (yield from self.refresh()).status_url
        if not url:
            raise no_product(self.state, self.service, "has no status.csv yet")
        with (yield from exchange(Send("GET", url, most=largest_temporary()), self.service)) as answer:
            return (yield from work(lambda: _table(answer.read())))

    def _page(self, after: str) -> Steps[FilePage]:
        request = self.service.get(f"{LIST.path}/{self.state.id}", limit=_PAGE, after=after or None)
        return ask(request, self.service, FilePage.read)

    def _load_all(self, folder: Path, parallel: int, counter: Counter) -> Steps[list[Path]]:
        paths, after = list[Path](), ""
        while True:
            page = yield from self._page(after)
            counter(counter.done, counter.total + len(page.files))
            loads = [self._load(file, folder, after, counter) for file in page.files]
            paths += yield Together(loads, parallel)
            after = page.following
            if not after:
                return paths

    def _load_manifest(self, folder: Path) -> Steps[list[Path]]:
        """Load the list of all products, which has no checksum of its own."""
        url = (yield from self.refresh()).manifest_url
        if not url:
            return []
        with (yield from exchange(Send("GET", url, most=largest_temporary()), self.service)) as answer:
            return [(yield from work(lambda: write_pieces(folder / _MANIFEST, [answer.read()])))]

    def _load(self, file: BulkFile, folder: Path, after: str, counter: Counter) -> Steps[Path]:
        def renew(file: BulkFile) -> Steps[str]:
            page = yield from self._page(after)
            return next((each.url for each in page.files if each.name == file.name), file.url)

        path = yield from fetch_file(file, folder, self.service, renew)
        counter.add()
        return path


def _table(content: bytes) -> Table:
    rows = parse_status(content)
    return Table({name: [getattr(row, name) for row in rows] for name in COLUMNS})


def no_product(state: BulkState, service: Service, said: str = "has no product") -> FailedJobError:
    """Error of a list that has no product."""
    text = f"{service.address} {said} of the list {state.id}, which is {state.status}"
    return FailedJobError(f"{text}: {state.reason}" if state.reason else text)


def look(list_id: str, service: Service) -> Steps[BulkState]:
    """Ask for the state of a list."""
    return ask(service.get(f"{LIST.path}/{list_id}", limit=0), service, BulkState.read)
