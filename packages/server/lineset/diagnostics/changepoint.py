"""How a home's energy follows the outdoor temperature: change-point models of daily energy, fitted by least squares.

The family is that of the Inverse Modeling Toolkit (Kissock, Haberl and Claridge 2003, ASHRAE RP-1050, ASHRAE Transactions 109(2)) and of
ASHRAE Guideline 14-2014, Annex D: a base load, and straight lines below a heating and above a cooling change point.

    mean   E = b                                         3PH   E = b + h (t_h - T)+
    5P     E = b + h (t_h - T)+ + c (T - t_c)+           3PC   E = b + c (T - t_c)+
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lineset.diagnostics.samples import Floats

Kind = Literal["mean", "3PH", "3PC", "5P"]
KINDS: tuple[Kind, ...] = ("mean", "3PH", "3PC", "5P")
PARAMETERS: dict[Kind, int] = {"mean": 1, "3PH": 3, "3PC": 3, "5P": 5}

FEWEST_BEYOND = 0.1
"""The share of the days that must lie beyond a change point: a line through fewer follows chance."""
_GRID: dict[Kind, int] = {"3PH": 24, "3PC": 24, "5P": 14}
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Response:
    """A fitted model. `base` in kWh a day; `heating` and `cooling` in kWh a day and K, never below 0; change points in degC, NaN where
    the kind has none. `rmse` in kWh a day with n - p degrees of freedom; `cv` is that over the mean (0 to 1 and above); `rho` the lag-1
    autocorrelation of the residuals; `days` how many were fitted."""

    kind: Kind
    base: float
    heating: float
    heating_below: float
    cooling: float
    cooling_above: float
    rmse: float
    cv: float
    r2: float
    rho: float
    days: int

    def predict(self, outdoor: Floats) -> Floats:
        """Energy in kWh a day at these daily mean outdoor temperatures (degC), of the same shape."""
        cold = np.maximum(np.nan_to_num(self.heating_below - outdoor), 0.0)
        warm = np.maximum(np.nan_to_num(outdoor - self.cooling_above), 0.0)
        return np.asarray(self.base + self.heating * cold + self.cooling * warm)


def fit(outdoor: Floats, energy: Floats, kinds: Sequence[Kind] = KINDS) -> Response:
    """The model that the Bayesian information criterion prefers among `kinds`, of days in the order of time.

    `outdoor`: daily mean temperature (degC), `energy`: kWh a day, both of shape (days,) and without NaN.

    Raises:
        ValueError: fewer than ten days, or arrays that differ in length or hold NaN.
    """
    if outdoor.shape != energy.shape or outdoor.ndim != 1 or len(energy) < 10 or not np.all(np.isfinite(outdoor) & np.isfinite(energy)):
        raise ValueError("a response needs at least ten days of both temperature and energy")
    found = [made for kind in kinds if (made := _fit(kind, outdoor, energy)) is not None]
    mean = float(np.mean(energy**2)) or 1.0
    return min(found, key=lambda made: _criterion(made, mean)) if found else _response("mean", (), outdoor, energy)


def _criterion(made: Response, scale: float) -> float:
    """The Bayesian information criterion (Schwarz 1978); a perfect fit counts as good as rounding allows."""
    squares = made.rmse**2 * max(made.days - PARAMETERS[made.kind], 1) / made.days
    return made.days * float(np.log(max(squares, 1e-14 * scale))) + PARAMETERS[made.kind] * float(np.log(made.days))


def _fit(kind: Kind, outdoor: Floats, energy: Floats) -> Response | None:
    """The best model of a kind: a grid over its change points, made finer about the best in rounds (RP-1050). None: no such slope."""
    if kind == "mean":
        return _response(kind, (), outdoor, energy)
    if np.ptp(outdoor) < 1.0:
        return None
    low, high = np.quantile(outdoor, [FEWEST_BEYOND, 1.0 - FEWEST_BEYOND])
    spans = [(float(low), float(high))] * (2 if kind == "5P" else 1)
    best: Floats | None = None
    for _ in range(_ROUNDS):
        axes = [np.linspace(a, b, _GRID[kind]) for a, b in spans]
        points = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=-1)
        if kind == "5P":
            points = points[points[:, 0] <= points[:, 1]]
        found = _best(kind, points, outdoor, energy)
        if found is None:
            break
        best = found
        widths = [2.0 * (b - a) / (_GRID[kind] - 1) for a, b in spans]
        spans = [(max(float(low), at - w), min(float(high), at + w)) for at, w in zip(best.tolist(), widths, strict=True)]
    return None if best is None else _response(kind, tuple(best.tolist()), outdoor, energy)


def _columns(kind: Kind, points: Floats, outdoor: Floats) -> Floats:
    """The regressors at each candidate of change points, shape (candidates, days, slopes + 1)."""
    ones = np.ones((len(points), len(outdoor)))
    if kind == "mean":
        return ones[:, :, None]
    cold, warm = np.maximum(points[:, :1] - outdoor, 0.0), np.maximum(outdoor - points[:, -1:], 0.0)
    slopes = {"3PH": (cold,), "3PC": (warm,), "5P": (cold, warm)}[kind]
    return np.stack([ones, *slopes], axis=-1)


def _solve(columns: Floats, energy: Floats) -> tuple[Floats, Floats]:
    """Coefficients and sum of squares of each candidate by its normal equations; shape (candidates, slopes + 1) and (candidates,)."""
    across = columns.transpose(0, 2, 1)
    coefficients = np.linalg.solve(across @ columns, (across @ energy)[..., None])[..., 0]
    missed = energy - np.einsum("kdp,kp->kd", columns, coefficients)
    return np.asarray(coefficients, np.float64), np.asarray(np.sum(missed**2, axis=1), np.float64)


def _best(kind: Kind, points: Floats, outdoor: Floats, energy: Floats) -> Floats | None:
    coefficients, squares = _solve(_columns(kind, points, outdoor), energy)
    allowed = (coefficients[:, 1:] > 0).all(axis=1)
    return points[int(np.argmin(np.where(allowed, squares, np.inf)))] if allowed.any() else None


def _response(kind: Kind, points: tuple[float, ...], outdoor: Floats, energy: Floats) -> Response:
    columns = _columns(kind, np.array([points or (0.0,)]), outdoor)
    coefficients, squares = _solve(columns, energy)
    base, *slopes = coefficients[0].tolist()
    missed = energy - columns[0] @ coefficients[0]
    rmse = float(np.sqrt(squares[0] / max(len(energy) - PARAMETERS[kind], 1)))
    spread, mean = float(np.sum((energy - energy.mean()) ** 2)), float(energy.mean())
    nan = float("nan")
    return Response(
        kind=kind,
        base=base,
        heating=slopes[0] if kind in ("3PH", "5P") else 0.0,
        heating_below=points[0] if kind in ("3PH", "5P") else nan,
        cooling=slopes[-1] if kind in ("3PC", "5P") else 0.0,
        cooling_above=points[-1] if kind in ("3PC", "5P") else nan,
        rmse=rmse,
        cv=rmse / mean if mean > 0 else float("inf"),
        r2=1.0 - float(squares[0]) / spread if spread > 0 else 0.0,
        rho=lag_one(missed),
        days=len(energy),
    )


def lag_one(residuals: Floats) -> float:
    """The lag-1 autocorrelation of residuals in the order of time, 0 to 1 (a negative one counts as none); 0 of a perfect fit."""
    centred = residuals - residuals.mean()
    power = float(centred @ centred)
    return min(max(float(centred[1:] @ centred[:-1]) / power, 0.0), 0.99) if power > 1e-18 * len(residuals) else 0.0
