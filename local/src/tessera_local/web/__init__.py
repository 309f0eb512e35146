"""HTTP servers of the API and the page."""
