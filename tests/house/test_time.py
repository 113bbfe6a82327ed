"""Time is converted in one file: everything else asks a `Horizon` and its `SiteCalendar`."""

import re
from pathlib import Path

import energy

PACKAGE = Path(energy.__file__).parent
HOME = "schema/calendar.py"
#: A time zone put on or changed, and the label of a billing month; what a file's time stamps are written with is neither.
CONVERSION = re.compile(r"tz_convert|tz_localize|astimezone|%Y-%m(?!-)")
#: Files that read time stamps from outside, or ask providers for their own days, with the reason.
ALLOWED = {
    "series/files.py": "offsets of the time stamps of a file",
    "series/labels.py": "offsets of the time stamps of an answer",
    "series/vintage.py": "when the market had published, on the market's clock",
    "series/local_time.py": "days and steps on a provider's clock",
    "sources/requests_by_day.py": "days and steps on a provider's clock",
    "sources/providers/energy_charts.py": "days on the provider's clock",
    "inputs/jobs.py": "offsets of the time stamps of a job table",
    "nightly/queue.py": "offsets of the time stamps of a job table",
    "nightly/metering.py": "offsets of the time stamps of meter readings and reports",
    "nightly/config.py": "the wall clock, and offsets of a moment given on the command line",
    "schedule/table.py": "offsets of the time stamps of a schedule",
    "handover/job_table.py": "times of a cluster's queue, written on the cluster's clock",
    "report/formatting.py": "offsets of moments in a night's record",
    "cli/exit_codes.py": "offsets of a moment given on the command line",
}


def converting():
    return {
        str(path.relative_to(PACKAGE)): found
        for path in sorted(PACKAGE.rglob("*.py"))
        if (found := CONVERSION.findall(path.read_text(encoding="utf-8")))
    }


def test_only_the_calendar_converts_time():
    found = converting()
    assert HOME in found
    assert sorted(set(found) - {HOME} - set(ALLOWED)) == []
