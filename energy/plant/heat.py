"""Heat that a hall can hand over: that of its liquid loop, at the loop's return temperature."""

from __future__ import annotations

from energy.plant.parameters import DlcDryCooler, DlcTower, Plant


def liquid_heat(plant: Plant) -> tuple[float, float]:
    """Share of the IT power that a liquid loop carries [1], and the loop's return temperature at design flow [°C].

    (0, -273.15) for air-cooled halls: their chilled or supply air heat is not offered. h_t <= φ·f_liq·u_t, where φ,
    the share an exchanger hands over, belongs to the contract, not to the plant.
    """
    if isinstance(plant, DlcDryCooler | DlcTower):
        return plant.liquid_share, plant.facility_supply + plant.facility_range
    return 0.0, -273.15
