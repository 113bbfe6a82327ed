"""Heat that a site may sell: how much, how warm, at what price."""

from __future__ import annotations

from pydantic import Field

from energy.inputs.dated import Dated
from energy.inputs.yamlfile import Frozen


class HeatReuse(Frozen):
    """A buyer of heat from the liquid loops of a site's halls.

    `limit_mw` and `price_eur_per_mwh` count heat taken from the halls. Without a heat pump only halls whose return is at
    least `temperature_c` warm can deliver; with one all liquid loops can, for 1/`heat_pump_cop` MWh of power per MWh of heat
    taken, at the site's price of energy. `recoverable_share` of a loop's heat passes the exchanger (engineering
    judgement; replace it with your own).
    """

    limit_mw: Dated
    price_eur_per_mwh: float = Field(ge=0, le=1000)
    temperature_c: float = Field(ge=10, le=120)
    heat_pump_cop: float | None = Field(default=None, gt=1, le=20)
    recoverable_share: float = Field(default=0.9, gt=0, le=1)
