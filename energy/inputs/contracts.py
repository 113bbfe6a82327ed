"""Supply contracts and solar arrays of a site, as the fleet file gives them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from energy.inputs.dated import ALWAYS, Dated, Window
from energy.inputs.yaml_files import Frozen

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class _Contract(Frozen):
    """What every contract says: power `mw` in the hours of `when`, at `price` per MWh in `currency`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    mw: Dated
    price: float = Field(ge=-500, le=4000)
    currency: Currency = "EUR"
    when: Window = ALWAYS


class Hedge(_Contract):
    """Settled against spot: the site pays (price - spot) for `mw` whatever it draws. No decision depends on it."""

    kind: Literal["hedge"]


class TakeOrPay(_Contract):
    """Delivered and paid whether drawn or not; what is drawn up to `mw` needs no spot, what is not is lost."""

    kind: Literal["take_or_pay"]


class CappedPrice(_Contract):
    """Spot, but never above `price` for the first `mw` drawn; `premium` per MWh of `mw` is paid in any case."""

    kind: Literal["capped_price"]
    premium: float = Field(default=0.0, ge=0, le=1000)


Contract = Annotated[Hedge | TakeOrPay | CappedPrice, Field(discriminator="kind")]


class FeedIn(Frozen):
    """What exported power earns: a share of spot, or a fixed price per MWh; up to `limit_mw`."""

    limit_mw: float = Field(gt=0)
    spot_share: float | None = Field(default=None, ge=0, le=1)
    price: float | None = Field(default=None, ge=0, le=1000)
    currency: Currency = "EUR"


class Solar(Frozen):
    """A fixed-tilt array on site (PVWatts): module power at 1000 W/m² and 25 °C, inverter power, orientation."""

    dc_mw: float = Field(gt=0, le=1000)
    ac_mw: float = Field(gt=0, le=1000)
    tilt_deg: float = Field(default=30.0, ge=0, le=90)
    azimuth_deg: float = Field(default=180.0, ge=0, lt=360)
    losses_percent: float = Field(default=14.0, ge=0, le=60)
    temperature_coefficient_per_k: float = Field(default=-0.0035, ge=-0.01, le=0)
    feed_in: FeedIn | None = None
