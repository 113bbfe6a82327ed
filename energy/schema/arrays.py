"""The one table of every array: name, dimensions, unit, valid range, default, meaning, part of the program.

It checks every Dataset, names the Pyomo variables, gives files their CF attributes and fills
``docs/arrays.md``. Nothing in the house invents an array that does not stand here.

Numbers are double precision throughout; `time` is the START of the interval in UTC as naive
``datetime64[ns]``; `dt` [h] is an array, so quarter hours, hours and coarser tails may be mixed.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.int8]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
Times = np.ndarray[Any, np.dtype[np.datetime64]]
INF = float("inf")
Role = Literal["axis", "series", "parameter", "state", "variable", "dual", "plan"]
#: How good an hour of a series is, best first; stored as CF flags.
QUALITY = ("auction", "measured", "forecast", "secondary", "proxy", "persistence", "scenario")
#: Smallest magnitude the program treats as a load or a width [MW]; 1 W, a thousandth of a GPU's idle power,
#: and ten times the solver's feasibility tolerance of 1e-7.
TINY_MW = 1e-6
#: A limit that never binds [MW]: the largest power of the table.
UNLIMITED_MW = 1e5
#: Axes of things that a fleet may be without. One that a Dataset does not name has length 0, and so have its arrays.
OPTIONAL_AXES = frozenset({"charge", "rate_band", "contract", "minimum", "cap", "post_horizon", "currency", "device"})


@dataclass(frozen=True)
class Array:
    """One row of the table.

    Attributes
    ----------
    low, high : closed valid range in `unit`
    default : value everywhere when the array is missing: what says that the thing is not there ("no battery": 0) or
        does not bind ("no limit": the largest value); None: the array must be given
    part : file of ``energy/program/`` that owns the array; "": no part of the program reads it as its own
    fleet_key : key of the fleet file that gives the array as it is, dated, such as ``sites.*.grid_limit_mw``; the owner
        (``sites.*`` or ``sites.*.halls.*``) is its first dimension, time its second
    """

    name: str
    dims: tuple[str, ...]
    unit: str
    low: float
    high: float
    meaning: str
    role: Role
    default: float | None = None
    part: str = ""
    fleet_key: str = ""


def _row(name: str, dims: str, unit: str, low: float, high: float, role: Role, meaning: str,
         default: float | None = None, part: str = "", fleet_key: str = "") -> Array:  # fmt: skip
    return Array(name, tuple(dims.split()), unit, low, high, meaning, role, default, part, fleet_key)


_PROBLEM = (
    _row("dt", "time", "h", 1 / 60, 24, "axis", "length of the market time unit"),
    _row("hall_site", "hall", "1", 0, INF, "axis", "position of the hall's site on the site axis"),
    _row("pool_hall", "pool", "1", 0, INF, "axis", "position of the pool's hall on the hall axis"),
    _row("job_group", "job", "1", 0, INF, "axis", "position of the job's group on the group axis", part="jobs"),
    _row("charge_site", "charge", "1", 0, INF, "axis", "position of the demand charge's site on the site axis", part="tariff"),
    _row("charge_month", "charge", "1", 0, INF, "axis", "billing month of the demand charge", part="tariff"),
    _row("contract_site", "contract", "1", 0, INF, "axis", "site that a contract delivers to", part="tariff"),
    _row("minimum_site", "minimum", "1", 0, INF, "axis", "site of a minimum bill", part="tariff"),
    _row("minimum_month", "minimum", "1", 0, INF, "axis", "billing month of a minimum bill", part="tariff"),
    _row("month_of", "site time", "1", 0, INF, "axis", "billing month of the hour, in site-local time", part="tariff"),
    _row("pool_class", "group pool", "1", -1, INF, "axis", "speed class of the pool for the group; -1: not eligible", part="jobs"),
    _row("cap_site", "cap", "1", -1, INF, "axis", "site a PUE cap applies to; -1: the whole fleet", part="pue"),
    _row("post_horizon_group", "post_horizon", "1", -1, INF, "axis", "group whose deferred work counts; -1: all jobs", part="terminal_value"),
    _row("cap_start", "cap", "1", 0, INF, "axis", "first period of the cap's window", part="pue"),
    _row("cap_stop", "cap", "1", 1, INF, "axis", "first period after the cap's window", part="pue"),
    _row("temp_air", "site time", "degC", -60, 60, "series", "dry bulb"),
    _row("temp_wet_bulb", "site time", "degC", -60, 60, "series", "wet bulb"),
    _row("pressure", "site time", "Pa", 5e4, 1.1e5, "series", "air pressure at the site"),
    _row("weather_quality", "site time", "1", 0, len(QUALITY) - 1, "series", "quality of the weather of the hour"),
    _row("spot", "site time", "EUR MWh-1", -5000, 8000, "series", "day-ahead price of the site's bidding zone", part="cost"),
    _row("price_quality", "site time", "1", 0, len(QUALITY) - 1, "series", "quality of the price of the hour", part="cost"),
    _row("energy_charge", "site time", "EUR MWh-1", -1000, 2000, "parameter",
         "grid energy charges, taxes and levies per MWh on top of spot", default=0.0, part="cost"),
    _row("price", "site time", "EUR MWh-1", -6000, 10000, "parameter", "spot plus energy charges: what one more MWh costs", part="cost"),
    _row("carbon_intensity", "site time", "t MWh-1", 0, 2, "series", "CO2 of a MWh drawn; 0 where not known", default=0.0),
    _row("carbon_known", "site", "1", 0, 1, "parameter", "1 where the site has a carbon series", default=0.0),
    _row("grid_limit_mw", "site time", "MW", 0, 1e5, "parameter", "grid connection limit", part="grid", fleet_key="sites.*.grid_limit_mw"),
    _row("export_limit_mw", "site time", "MW", 0, 1e5, "parameter", "feed-in limit; 0 without generation on site", default=0.0, part="grid"),
    _row("other_site_mw", "site time", "MW", 0, 1e4, "parameter", "site load outside the halls", default=0.0, part="grid", fleet_key="sites.*.other_site_mw"),
    _row("solar_mw", "site time", "MW", 0, 1e5, "parameter", "what the solar array on site could give, AC", default=0.0, part="grid"),
    _row("export_price", "site time", "EUR MWh-1", -6000, 10000, "parameter", "earned per MWh fed in; never above the lowest price", default=0.0, part="grid"),
    _row("heat_share", "hall", "1", 0, 1, "parameter", "heat of the liquid loop that can be handed over, per IT power", default=0.0, part="grid"),
    _row("heat_limit_mw", "site time", "MW", 0, 1e5, "parameter", "most heat that a buyer takes; 0 without one", default=0.0, part="grid"),
    _row("heat_price", "site time", "EUR MWh-1", -6000, 10000, "parameter", "earned per MWh of heat, less a heat pump's power", default=0.0, part="grid"),
    _row("charge_weight", "charge time", "1", 0, 1, "parameter",
         "1 in hours that set the demand charge's peak, the ratchet's share in look-back months, else 0", part="tariff"),
    _row("charge_rate", "charge rate_band", "EUR MW-1", 0, 1e7, "parameter",
         "demand charge per MW of billed peak in the band, by the hours of the month on record and of the horizon", part="tariff"),
    _row("charge_band_mw", "charge rate_band", "MW", 0, 1e5, "parameter", "width of the band of the billed peak", part="tariff"),
    _row("contract_mw", "contract time", "MW", 0, 1e5, "parameter", "power that a contract delivers", part="tariff"),
    _row("contract_saving", "contract time", "EUR MWh-1", 0, 10000, "parameter",
         "saved against spot by taking a MWh of the contract", part="tariff"),
    _row("minimum_eur", "minimum", "EUR", -1e9, 1e9, "parameter", "minimum bill up to the horizon's end less the lines that no plan changes and those on the invoice so far", part="tariff"),
    _row("minimum_rate", "minimum time", "EUR MWh-1", -1000, 2000, "parameter",
         "energy charges that count towards the minimum bill", part="tariff"),
    _row("export_clip", "site time", "EUR MWh-1", 0, 10000, "parameter",
         "what feeding in earns beyond export_price, which never exceeds the lowest price", default=0.0, part="grid"),
    _row("fixed_eur", "site", "EUR", -1e9, 1e9, "parameter",
         "what no plan changes: fixed charges, settled hedges, take-or-pay volumes, less what running months have billed", default=0.0, part="tariff"),
    _row("fx", "currency time", "EUR", 0, 1000, "series", "EUR per unit of the currency on the day", part="tariff"),
    _row("hall_mw", "hall time", "MW", 0, 1e5, "parameter", "most IT power the hall can feed and cool", part="cooling"),
    _row("firm_it_mw", "hall time", "MW", 0, 1e5, "parameter",
         "IT power that does not depend on the plan: storage, network, GPUs switched off", default=0.0, part="cooling"),
    _row("base_it", "hall time", "MW", 0, 1e5, "parameter", "IT power with every GPU that is not firm idle", part="cooling"),
    _row("base_overhead", "hall time", "MW", 0, 1e5, "parameter", "cooling and electrical overhead at base_it", part="cooling"),
    _row("width", "hall time segment", "MW", 0, 1e5, "parameter", "width of a cooling segment in IT power; a segment of width 0 does not exist, it fills the axis", part="cooling"),
    _row("slope", "hall time segment", "1", -1, 100, "parameter", "overhead per IT power on the segment", part="cooling"),
    _row("chord", "hall time", "1", -1, 100, "parameter",
         "slope of the overhead's chord over the whole load range: the energy term of negative-price hours", part="cost"),
    _row("available", "pool time", "1", 0, 1e7, "parameter", "GPUs installed and not in maintenance", part="jobs"),
    _row("firm", "pool time", "1", 0, 1e7, "parameter", "GPUs held by inference, always busy", default=0.0, part="jobs"),
    _row("busy_mw", "pool", "MW", 0, 1, "parameter", "IT power of one busy GPU, all of its server included", part="cooling"),
    _row("idle_mw", "pool", "MW", 0, 1, "parameter", "IT power of one idle GPU", part="cooling"),
    _row("speed", "group speed_class", "1", 0, 1e3, "parameter", "reference GPU-hours per GPU-hour, fastest class first; 0: class not used", part="jobs"),
    _row("max_gpus", "job", "1", 0, 1e6, "parameter", "most GPUs the job can use at once", part="jobs"),
    _row("open", "job time", "1", 0, 1, "parameter", "share of the period inside the job's window", part="jobs"),
    _row("penalty", "job", "EUR GPU-1 h-1", 0, 1e6, "parameter", "price of one reference GPU-hour left undone", part="jobs"),
    _row("expected", "job", "1", 0, 1, "parameter", "1: no job yet, but the mean of arrivals that are likely to come", default=0.0, part="jobs"),
    _row("deferred_max", "job", "GPU h", 0, 1e9, "parameter",
         "most reference GPU-hours that the job may defer to after the horizon", default=0.0, part="terminal_value"),
    _row("terminal_price", "job", "EUR GPU-1 h-1", -1e6, 1e6, "parameter",
         "what a reference GPU-hour is likely to cost after the horizon", default=0.0, part="terminal_value"),
    _row("due_after", "job", "h", 0, 1e8, "parameter", "from the end of the horizon to the job's deadline; 0: inside", default=0.0, part="terminal_value"),
    _row("post_horizon_until", "post_horizon", "h", 0, 1e8, "parameter", "from the end of the horizon to a moment after it", part="terminal_value"),
    _row("post_horizon_capacity", "post_horizon", "GPU h", 0, 1e12, "parameter",
         "GPU-hours until the moment, less firm GPUs and work that arrives after the horizon and is due by then", part="terminal_value"),
    _row("cap_limit", "cap", "1", 1, 10, "parameter", "PUE cap (ISO/IEC 30134-2), energy weighted", part="pue"),
    _row("cap_penalty", "cap", "EUR MWh-1", 0, 1e8, "parameter", "price of exceeding the cap's energy balance", part="pue"),
    _row("work_left", "job", "GPU h", 0, 1e9, "state", "reference GPU-hours still to do", part="jobs"),
    _row("charge_floor", "charge", "MW", 0, 1e5, "state",
         "billed peak that earlier hours and look-back months have already set", default=0.0, part="tariff"),
    _row("cap_credit", "cap", "MWh", -1e7, 1e7, "state",
         "energy balance the window brings along from before the horizon: sum of dt (cap it - facility)", default=0.0, part="pue"),
)  # fmt: skip
_SOLUTION = (
    _row("cumulative_gpus", "job speed_class time", "1", 0, 1e9, "variable", "GPUs of the speed class and of the faster ones for the job", part="jobs"),
    _row("group_gpus", "group pool time", "1", 0, 1e7, "variable", "GPUs of the pool that the group holds", part="jobs"),
    _row("unserved", "job", "GPU h", 0, 1e9, "variable", "work left undone by its deadline", part="jobs"),
    _row("deferred", "job", "GPU h", 0, 1e9, "variable", "work deferred to after the horizon, at its terminal value", default=0.0, part="terminal_value"),
    _row("it", "hall time", "MW", 0, 1e5, "variable", "IT power of the hall", part="cooling"),
    _row("segment_load", "hall time segment", "MW", 0, 1e5, "variable", "IT power above base_it on the cooling segment", part="cooling"),
    _row("facility", "site time", "MW", 0, 1e5, "variable", "facility power: what cooling and PUE know", part="grid"),
    _row("grid_import", "site time", "MW", 0, 1e5, "variable", "power drawn from the grid: what prices and peaks know", part="grid"),
    _row("grid_export", "site time", "MW", 0, 1e5, "variable", "power fed into the grid", default=0.0, part="grid"),
    _row("solar_use", "site time", "MW", 0, 1e5, "variable", "solar power used or fed in; the rest is curtailed", default=0.0, part="grid"),
    _row("heat", "site time", "MW", 0, 1e5, "variable", "heat handed over; lowers neither facility power nor PUE", default=0.0, part="grid"),
    _row("peak", "charge", "MW", 0, 1e5, "variable", "billed peak of the demand charge", part="tariff"),
    _row("band", "charge rate_band", "MW", 0, 1e5, "variable", "part of the billed peak in the band; a charge with one band has no variable band: its peak has the rate", part="tariff"),
    _row("offtake", "contract time", "MW", 0, 1e5, "variable", "power taken from the contract instead of at spot", part="tariff"),
    _row("top_up", "minimum", "EUR", 0, 1e9, "variable", "what the minimum bill adds", part="tariff"),
    _row("cap_breach", "cap", "MWh", 0, 1e8, "variable", "energy by which the PUE cap is exceeded", part="pue"),
    _row("dual_finish", "job", "EUR GPU-1 h-1", -INF, INF, "dual", "cost of one more reference GPU-hour of the job", part="jobs"),
    _row("dual_post_horizon_capacity", "post_horizon", "EUR GPU-1 h-1", -INF, INF, "dual", "minus the worth of a GPU-hour after the horizon", part="terminal_value"),
    _row("dual_link", "group speed_class time", "EUR", -INF, INF, "dual", "price of one GPU of the class less that of the next slower one", part="jobs"),
    _row("dual_pool_capacity", "pool time", "EUR", -INF, INF, "dual", "dual of the pool's capacity", part="jobs"),
    _row("dual_it_power", "hall time", "EUR MW-1", -INF, INF, "dual", "cost of one more MW of IT power", part="cooling"),
    _row("dual_segments", "hall time", "EUR MW-1", -INF, INF, "dual", "dual of the split into cooling segments", part="cooling"),
    _row("dual_facility_power", "site time", "EUR MW-1", -INF, INF, "dual", "cost of one more MW of facility power", part="grid"),
    _row("dual_balance", "site time", "EUR MW-1", -INF, INF, "dual", "cost of one more MW drawn at the site", part="grid"),
    _row("dual_heat_available", "site time", "EUR MW-1", -INF, INF, "dual", "minus the worth of one more MW of heat", default=0.0, part="grid"),
    _row("dual_billed_peak", "charge time", "EUR MW-1", -INF, INF, "dual", "share of the demand charge the hour bears", part="tariff"),
    _row("dual_bands", "charge", "EUR MW-1", -INF, INF, "dual", "dual of the split of a peak into bands", part="tariff"),
    _row("dual_offtake_limit", "site time", "EUR MW-1", -INF, INF, "dual", "dual of: no more taken from contracts than drawn", default=0.0, part="tariff"),
    _row("dual_minimum_bill", "minimum", "1", -INF, INF, "dual", "share of a minimum bill that binds", part="tariff"),
    _row("dual_pue_cap", "cap", "EUR MWh-1", -INF, INF, "dual", "cost of one MWh less under the cap", part="pue"),
    _row("bound_it", "hall time", "EUR MW-1", -INF, INF, "dual", "reduced cost of it: the hall limit where negative", part="cooling"),
    _row("bound_grid_import", "site time", "EUR MW-1", -INF, INF, "dual",
         "reduced cost of grid_import: the grid limit where negative", part="grid"),
    _row("bound_cumulative_gpus", "job speed_class time", "EUR", -INF, INF, "dual", "reduced cost of cumulative_gpus", part="jobs"),
)  # fmt: skip
_PRICES = (
    _row("value_grid", "site time", "EUR MW-1", 0, INF, "dual", "saving from one more MW of grid limit in the period"),
    _row("value_gpu", "pool time", "EUR", -INF, INF, "dual", "saving from one more available GPU in the period"),
    _row("value_deadline", "job", "EUR h-1", 0, INF, "dual", "saving from a deadline one hour later"),
    _row("value_work", "job", "EUR GPU-1 h-1", -INF, INF, "dual", "cost of one more reference GPU-hour of the job"),
    _row("value_cap", "cap", "EUR", 0, INF, "dual", "saving from a PUE cap looser by 1 (divide by 100 for 0.01)"),
    _row("gpu_hour", "pool time", "EUR", -INF, INF, "dual", "price of one more GPU-hour in the pool: the four below"),
    _row("gpu_hour_energy", "pool time", "EUR", -INF, INF, "dual", "of it: energy with marginal overhead"),
    _row("gpu_hour_demand", "pool time", "EUR", -INF, INF, "dual", "of it: its share of the month's demand charge"),
    _row("gpu_hour_limits", "pool time", "EUR", -INF, INF, "dual", "of it: grid and hall limits and PUE caps that bind"),
    _row("gpu_hour_capacity", "pool time", "EUR", -INF, INF, "dual", "of it: other work that wants the same GPUs"),
)  # fmt: skip
_SCHEDULE = (
    _row("dt", "time", "h", 1 / 60, 24, "axis", "length of the market time unit"),
    _row("entry_job", "entry", "1", 0, INF, "axis", "position of the job on the job axis"),
    _row("entry_pool", "entry", "1", 0, INF, "axis", "position of the pool on the pool axis"),
    _row("entry_time", "entry", "1", 0, INF, "axis", "position of the period on the time axis"),
    _row("entry_gpus", "entry", "1", 0, 1e7, "plan", "GPUs of the pool that the job holds in the period"),
    _row("setpoint", "device time", "MW", -UNLIMITED_MW, UNLIMITED_MW, "plan",
         "active power that a device is set to, at most; 1e5: as much as there is. Devices are named by owner and kind, such as "
         "`narvik/solar`"),
)  # fmt: skip
_REPLAY = (
    _row("dt", "time", "h", 1 / 60, 24, "axis", "length of the market time unit"),
    _row("it_mw", "hall time", "MW", 0, 1e5, "plan", "IT power of the hall"),
    _row("overhead_mw", "hall time", "MW", 0, 1e5, "plan", "cooling and electrical overhead of the hall"),
    _row("water_m3", "hall time", "m3", 0, 1e6, "plan", "make-up water of the hall in the period"),
    _row("electrical_mw", "hall time", "MW", 0, 1e5, "plan", "overhead: UPS, transformer, distribution, lighting"),
    _row("fans_mw", "hall time", "MW", 0, 1e5, "plan", "overhead: fans that move air through the hall"),
    _row("pumps_mw", "hall time", "MW", 0, 1e5, "plan", "overhead: water and coolant pumps"),
    _row("compressors_mw", "hall time", "MW", 0, 1e5, "plan", "overhead: chillers and DX with their condensers"),
    _row("heat_rejection_mw", "hall time", "MW", 0, 1e5, "plan", "overhead: fans of dry coolers and towers"),
    _row("free_cooling", "hall time", "1", 0, 1, "plan", "share of the hall's heat rejected without compressor"),
    _row("derating_mw", "hall time", "MW", 0, 1e5, "plan",
         "by how much the weather lowers the hall's IT limit, to hold its supply setpoint"),
    _row("facility_mw", "site time", "MW", 0, 1e5, "plan", "facility power of the site, halls and the rest"),
    _row("site_it_mw", "site time", "MW", 0, 1e5, "plan", "IT power of the site"),
    _row("import_mw", "site time", "MW", 0, 1e5, "plan", "power drawn from the grid"),
    _row("export_mw", "site time", "MW", 0, 1e5, "plan", "power fed into the grid"),
    _row("solar_mw", "site time", "MW", 0, 1e5, "plan", "solar power used on site or fed in"),
    _row("heat_mw", "site time", "MW", 0, 1e5, "plan", "heat handed over for reuse"),
    _row("cost_eur", "site time", "EUR", -INF, INF, "plan", "energy cost of the period: spot, grid energy and taxes"),
    _row("carbon_t", "site time", "t", 0, INF, "plan", "CO2 of the period; 0 where the intensity is not known"),
)  # fmt: skip
#: Overhead of a hall by component, in the order pictures stack them; they add up to `overhead_mw`.
COMPONENTS = ("electrical_mw", "pumps_mw", "fans_mw", "heat_rejection_mw", "compressors_mw")
PROBLEM = {a.name: a for a in _PROBLEM}
SOLUTION = {a.name: a for a in _SOLUTION}
PRICES = {a.name: a for a in _PRICES}
SCHEDULE = {a.name: a for a in _SCHEDULE}
REPLAY = {a.name: a for a in _REPLAY}
TABLES = {"problem": PROBLEM, "solution": SOLUTION, "prices": PRICES, "schedule": SCHEDULE, "replay": REPLAY}
