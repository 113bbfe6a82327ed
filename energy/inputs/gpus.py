"""GPU kinds: power per GPU at the IT meter, cited."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from energy.inputs.errors import ConfigError
from energy.inputs.fleet import Fleet, Pool
from energy.inputs.resources import model_path
from energy.inputs.yamlfile import Frozen, load_model

Evidence = Literal["R", "M", "S", "G", "mem", "H", "L", "CALC", "MEM"]


class CitedPower(Frozen):
    """A power per GPU with where it comes from."""

    value: float = Field(ge=0, le=20)
    unit: Literal["kW"]
    source: str = Field(min_length=3)
    evidence: Evidence


class GpuKind(Frozen):
    """One file of ``models/gpus/``."""

    kind: str
    description: str = ""
    busy_kw_per_gpu: CitedPower
    idle_kw_per_gpu: CitedPower
    off_kw_per_gpu: CitedPower


class GpuPower(Frozen):
    """Power of one GPU of a pool [MW]: busy, idle, switched off."""

    kind: str
    busy_mw: float
    idle_mw: float
    off_mw: float

    @model_validator(mode="after")
    def _ordered(self) -> GpuPower:
        if not self.busy_mw > self.idle_mw >= self.off_mw >= 0:
            raise ValueError("power per GPU must fall from busy over idle to off")
        return self


def load_gpu_powers(fleet: Fleet, fleet_path: Path) -> dict[str, GpuPower]:
    """Pool id -> power per GPU [MW], overrides of the fleet file applied.

    Raises
    ------
    ConfigError : unknown kind, or idle above busy.
    """
    return {name: _power(name, pool, fleet_path) for name, (_, pool) in fleet.pools().items()}


def _power(name: str, pool: Pool, fleet_path: Path) -> GpuPower:
    try:
        kind = load_model(model_path("gpus", pool.gpu, fleet_path), GpuKind)
        kw = {
            state: getattr(pool, f"{state}_kw_per_gpu")
            if getattr(pool, f"{state}_kw_per_gpu") is not None
            else getattr(kind, f"{state}_kw_per_gpu").value
            for state in ("busy", "idle", "off")
        }
        return GpuPower(kind=kind.kind, **{f"{state}_mw": value / 1000 for state, value in kw.items()})
    except FileNotFoundError as e:
        raise ConfigError(f"{fleet_path}: pool {name}", str(e)) from None
    except ConfigError:
        raise
    except ValueError as e:
        raise ConfigError(f"{fleet_path}: pool {name}", f"power per GPU: {e}", "busy > idle >= off >= 0 kW") from None
