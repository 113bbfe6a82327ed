"""GPU kinds: power per GPU at the IT meter, cited."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from energy.inputs.fleet import Fleet
from energy.inputs.resources import named_model
from energy.inputs.yaml_files import Frozen, load_model, validate

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
    def _ordered(self) -> Self:
        if not self.busy_mw > self.idle_mw >= self.off_mw >= 0:
            raise ValueError(
                f"power per GPU is {self.busy_mw * 1000:g} kW busy, {self.idle_mw * 1000:g} kW idle, "
                f"{self.off_mw * 1000:g} kW off; allowed: busy > idle >= off"
            )
        return self


def load_gpu_powers(fleet: Fleet, fleet_path: Path) -> dict[str, GpuPower]:
    """Pool id -> power per GPU [MW], overrides of the fleet file applied.

    Raises
    ------
    ConfigError : unknown kind, or idle above busy.
    """
    kinds: dict[str, GpuKind] = {}
    out = {}
    for name, (_, pool) in fleet.pools().items():
        where, mw = f"{fleet_path}: pool {name}", {}
        if pool.gpu not in kinds:
            kinds[pool.gpu] = load_model(named_model(f"{where}: gpu", "gpus", pool.gpu, fleet_path), GpuKind)
        kind = kinds[pool.gpu]
        for state in ("busy", "idle", "off"):
            own = getattr(pool, f"{state}_kw_per_gpu")
            mw[f"{state}_mw"] = (getattr(kind, f"{state}_kw_per_gpu").value if own is None else own) / 1000
        out[name] = validate(where, {"kind": kind.kind, **mw}, GpuPower)
    return out
