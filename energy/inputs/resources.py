"""Resolver of `models/` and `data/reference/`, for a wheel and for a checkout."""

from pathlib import Path

from energy.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent.parent


def root() -> Path:
    """The folder that holds ``models/`` and ``data/reference/``.

    A wheel carries them as ``energy/_assets``; an editable install does not have forced includes,
    so there they are the checkout's own folders.

    Raises
    ------
    FileNotFoundError : neither is there (a broken installation).
    """
    for candidate in (_PACKAGE / "_assets", _PACKAGE.parent):
        if (candidate / "models").is_dir() and (candidate / "data" / "reference").is_dir():
            return candidate
    raise FileNotFoundError(f"models/ and data/reference/ are missing beside {_PACKAGE}: reinstall hydrocool")


def model_path(kind: str, name: str, near: Path | None = None) -> Path:
    """File of a model: a path relative to the file that names it, or a name in ``models/<kind>/``.

    Raises
    ------
    FileNotFoundError : no such file; the message lists the names that exist.
    """
    folder = root() / "models" / kind
    is_path = name.endswith((".yaml", ".yml"))
    path = (near.parent if near else Path()) / name if is_path else folder / f"{name}.yaml"
    if path.is_file():
        return path
    known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml"))) or "none"
    raise FileNotFoundError(f"no {kind} file {name!r}; known: {known}, or a path ending in .yaml")


def named_model(where: str, kind: str, name: str, fleet_path: Path) -> Path:
    """File of a model that a key of the fleet file names.

    Raises
    ------
    ConfigError : no such file; names the key and the models that exist.
    """
    try:
        return model_path(kind, name, fleet_path)
    except FileNotFoundError as e:
        raise ConfigError(where, str(e)) from None
