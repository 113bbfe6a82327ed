"""Energy Identification Codes of bidding zones, as ENTSO-E names them, and the clocks their days follow."""

from __future__ import annotations

from energy.sources.client.answer import SourceError

#: Zone -> EIC (ENTSO-E's list of area codes, as entsoe-py 0.8.1 carries it).
EIC = {
    "NO1": "10YNO-1--------2", "NO2": "10YNO-2--------T", "NO3": "10YNO-3--------J", "NO4": "10YNO-4--------9",
    "NO5": "10Y1001A1001A48H", "NO": "10YNO-0--------C", "SE1": "10Y1001A1001A44P", "SE2": "10Y1001A1001A45N",
    "SE3": "10Y1001A1001A46L", "SE4": "10Y1001A1001A47J", "FI": "10YFI-1--------U", "DK1": "10YDK-1--------W",
    "DK2": "10YDK-2--------M", "DE-LU": "10Y1001A1001A82H", "DE-AT-LU": "10Y1001A1001A63L",
    "FR": "10YFR-RTE------C", "PT": "10YPT-REN------W", "ES": "10YES-REE------0", "IE-SEM": "10Y1001A1001A59C",
    "NL": "10YNL----------L", "BE": "10YBE----------2", "AT": "10YAT-APG------L", "CH": "10YCH-SWISSGRIDZ",
    "PL": "10YPL-AREA-----S", "CZ": "10YCZ-CEPS-----N", "SK": "10YSK-SEPS-----K", "HU": "10YHU-MAVIR----U",
    "SI": "10YSI-ELES-----O", "HR": "10YHR-HEP------M", "RO": "10YRO-TEL------P", "BG": "10YCA-BULGARIA-R",
    "GR": "10YGR-HTSO-----Y", "EE": "10Y1001A1001A39I", "LV": "10YLV-1001A00074", "LT": "10YLT-1001A0008Q",
    "IT-NORTH": "10Y1001A1001A73I", "IT-CNOR": "10Y1001A1001A70O", "IT-CSUD": "10Y1001A1001A71M",
    "IT-SUD": "10Y1001A1001A788", "IT-SICI": "10Y1001A1001A75E", "IT-SARD": "10Y1001A1001A74G",
    "IT-CALA": "10Y1001C--00096J",
}  # fmt: skip
#: Clocks by the zone's country; the others follow Central European Time.
CLOCKS = {"FI": "Europe/Helsinki", "EE": "Europe/Tallinn", "LV": "Europe/Riga", "LT": "Europe/Vilnius",
          "GR": "Europe/Athens", "RO": "Europe/Bucharest", "BG": "Europe/Sofia", "PT": "Europe/Lisbon",
          "GB": "Europe/London", "IE": "Europe/Dublin", "NO": "Europe/Oslo", "SE": "Europe/Stockholm"}  # fmt: skip
DEFAULT_CLOCK = "Europe/Brussels"


def eic(zone: str) -> str:
    """The zone's code; SourceError (fatal) where ENTSO-E has no data of it (GB left the coupled markets)."""
    if zone not in EIC:
        raise SourceError("entsoe", "fatal", f"zone {zone} is not served")
    return EIC[zone]


def clock_of(zone: str) -> str:
    """Time zone in which the zone's days and weeks are counted."""
    return CLOCKS.get(zone[:2], DEFAULT_CLOCK)
