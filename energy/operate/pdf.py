"""The report as PDF through weasyprint (optional extra), from the HTML page alone and without any network."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from energy.operate import child
from energy.report.style import ROLES

#: Time for drawing one [s]: a library that hangs must not keep a night from its end.
LIMIT_S = 120.0
#: This file as `python -m` knows it.
MODULE = "energy.operate.pdf"

NOT_INSTALLED = "report.pdf needs weasyprint: pip install 'hydrocool[pdf]' (and the system library pango)"
_VARIABLE = re.compile(r"var\(--([a-z0-9]+)\)")
#: A4 with the page number below; boxes beside each other as flex, because weasyprint 70 fails on nested grids.
PRINT = """<style>
@page{size:A4;margin:14mm 12mm 16mm;@bottom-right{content:counter(page) " / " counter(pages);font-size:8pt;color:#5b6770}}
html{font-size:9pt}body{padding:0;max-width:none;font-size:9pt}nav,details{display:none}h1{font-size:20pt}
.status i{display:inline-block;text-align:center;width:13pt;height:13pt;line-height:13pt;font-size:9pt}
.tiles,.multiples,.two{display:flex;flex-wrap:wrap;gap:8pt}.tiles div{flex:1 1 16%;padding:7pt}.tiles dd{font-size:12pt}.tiles .below{font-size:7.5pt}
.multiples figure{flex:0 0 31%}figure{display:block}.two>div{flex:1 1 46%}
.causes div,.costs div,.strips>div,.fall div{display:flex}
.causes dt,.costs dt,.strips b,.fall dt{flex:0 0 80pt}.causes dd,.costs dd,.strips span,.fall dd{flex:1 1 0}
.costs dd.now{flex:1 1 0}.why{columns:1}
table,table.wide{min-width:0;width:100%;font-size:6.6pt}th,td{padding:3px 0 3px 6px;white-space:normal}
.scroll{overflow:visible}section{margin-top:14pt;padding-top:8pt}
</style></head>"""


class PdfError(OSError):
    """The PDF cannot be made: weasyprint or one of its libraries is missing, or the file cannot be written."""


def printable(html: str) -> str:
    """The page with the style of PRINT and in its light colours: pictures for print know no CSS variables."""
    return _VARIABLE.sub(lambda m: ROLES[m[1]].light if m[1] in ROLES else m[0], html.replace("</head>", PRINT, 1))


def write_pdf(html: str, path: Path) -> None:
    """Write the page as PDF beside its place and rename it.

    Raises
    ------
    PdfError : weasyprint is missing, or the file cannot be written; says what to do.
    """
    weasyprint = _weasyprint()
    content: bytes = weasyprint.HTML(string=printable(html), url_fetcher=_refuse).write_pdf()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=path.parent) as work:
            (Path(work) / path.name).write_bytes(content)
            (Path(work) / path.name).replace(path)
    except OSError as e:
        raise PdfError(f"{path}: cannot be written ({e.strerror or e})") from None


def draw(page: Path, target: Path, log: Path) -> None:
    """`write_pdf` in a process of its own, which ends in any case.

    Parameters
    ----------
    page : the report as HTML
    log : file that takes what the process prints

    Raises
    ------
    PdfError : as `write_pdf`, or it took longer than OVERTIME times LIMIT_S.
    """
    ended = child.run([str(page), str(target)], LIMIT_S, log, MODULE)
    if ended.code:
        raise PdfError(f"{target}: {ended.words or f'ended with exit code {ended.code}'}")


def _weasyprint() -> Any:
    try:
        import weasyprint
    except (ImportError, OSError):  # OSError: the Python package is there, pango is not
        raise PdfError(NOT_INSTALLED) from None
    return weasyprint


def _refuse(url: str, *_: object, **__: object) -> NoReturn:
    """A report fetches nothing."""
    raise ValueError(f"the report must not fetch {url[:80]}")


if __name__ == "__main__":
    try:
        write_pdf(Path(sys.argv[1]).read_text(encoding="utf-8"), Path(sys.argv[2]))
    except OSError as e:
        sys.exit(str(e))
