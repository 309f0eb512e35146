"""The service that is checked: its addresses, and what it says it has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tests.ivoa.clauses.documents import Row, Table
from tests.ivoa.clauses.web import Answer, Params, Web


@dataclass(frozen=True)
class Site:
    """Addresses of a service.

    Parameters
    ----------
    query, links, sync, jobs
        {query} of SIA 2.0, {links} of DataLink, {sync} and {async} of SODA.
    web
        What sends the requests.
    radius
        Radius in degrees of a cutout that the service makes at once.
    example
        Identifier of the dataset that is cut; the first that has a region if it is not named.
    worker
        Job list of UWS; that of SODA if it is not named.
    work, wrong_work
        Parameters of a short job, and of one that fails; a cutout of SODA if they are not given.
    """

    query: str
    links: str
    sync: str
    jobs: str
    web: Web
    radius: float = 0.02
    example: str | None = None
    worker: str | None = None
    work: tuple[tuple[str, str], ...] = ()
    wrong_work: tuple[tuple[str, str], ...] = ()

    def search(self, *params: tuple[str, str], method: str = "GET") -> Answer:
        return self.web.ask(self.query, params, method=method)

    def found(self, *params: tuple[str, str]) -> list[Row]:
        """Rows that a search finds."""
        return Table(self.search(*params).body).rows

    def get(self, url: str, params: Params = ()) -> Answer:
        return self.web.ask(url, params)

    def beside(self, url: str, name: str) -> str:
        """The sibling of a resource: VOSI's documents are beside {query}, {links}, {sync} and {async}."""
        return f"{url.rstrip('?').rpartition('/')[0]}/{name}"

    @cached_property
    def rows(self) -> list[Row]:
        """All that the service has."""
        return self.found(("MAXREC", "100000"))

    @cached_property
    def row(self) -> Row:
        """The dataset that is cut."""
        have = [row for row in self.rows if row["s_region"] is not None]
        named = [row for row in have if str(row["obs_publisher_did"]).lower() == str(self.example).lower()]
        return (named or have)[0]

    @property
    def did(self) -> str:
        return str(self.row["obs_publisher_did"])

    @property
    def circle(self) -> str:
        """A circle inside the dataset that is cut, as SODA writes it."""
        return f"{self.row['s_ra']} {self.row['s_dec']} {self.radius}"

    @property
    def elsewhere(self) -> str:
        """A circle at the other side of the sky."""
        return f"{(self.row['s_ra'] + 180) % 360} {-self.row['s_dec']} {self.radius}"

    @cached_property
    def links_table(self) -> Table:
        """The links of the dataset that is cut."""
        return Table(self.get(self.links, [("ID", self.did)]).body)
