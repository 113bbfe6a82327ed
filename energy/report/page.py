"""The report page."""

from energy.report.record import Record


def render(record: Record) -> str:
    """HTML of a run."""
    return "<html></html>"
