"""How a home holds its heat: two heat capacities and two resistances, fitted to room temperature within bounds.

The model is the grey box "TiTe" of Bacher and Madsen (Energy and Buildings 43, 2011, section 4): indoor air (with furniture) Ti and
envelope Te,

    Ci dTi/dt = (Te - Ti)/Rie + heat + gains + Aw sun,    Ce dTe/dt = (Ti - Te)/Rie + (To - Te)/Rea,

with temperatures in degC, heat in W, R in K/W, C in J/K. Between readings inputs stand still, so the step is exact: the matrix
exponential of the system with its inputs (Van Loan, IEEE Trans. Automatic Control 23, 1978). What the model does not know (doors,
people, stoves) is a third state, a heat flow that fades over a day; a steady-state Kalman filter tells it from the readings. Parameters
are the mode of their posterior: least squares of errors up to a day ahead, with what is known of homes as priors, and bounds beyond
which no home lies.
"""

from dataclasses import dataclass

import numpy as np

from lineset.diagnostics.samples import DAY_S, HOUR_S, Floats, Ints

NAMES = ("rie", "rea", "ci", "ce", "window", "scale")
USUAL = np.log(np.array([1.5e-3, 5.0e-3, 6.0e6, 4.0e7, 4.0, 1.0]))
"""A detached home: 150 W/K in all, some hours of air and furniture, days of walls; a window of 4 m2 in effect; heat as it was told."""
SPREAD = np.array([0.8, 0.6, 0.8, 0.9, 0.8, 0.15])
LOW = np.log(np.array([5e-5, 4e-4, 3e5, 2e6, 0.05, 0.5]))
HIGH = np.log(np.array([3e-2, 1e-1, 1e8, 1e9, 60.0, 2.0]))
GAINS_W, GAINS_SD_W = 300.0, 250.0
WAVES = 2
WAVE_SD_W = 200.0
FADING_S = DAY_S
HORIZON_S = DAY_S
NOISE_K = 0.15
"""Reading and mixing of room air, one standard deviation."""
UNKNOWN_W = 150.0
"""Heat that comes and goes unseen, one standard deviation of its change over an hour."""
EXPECTED_ERROR_K = 0.4
LEAST_DAYS = 5
STEP_S = 1800.0


@dataclass(frozen=True, slots=True)
class Records:
    """A home's even steps of `step` seconds, each array (steps,): room and outdoor temperature (degC), heat put into the home (W, cold
    negative), sun on the horizontal under a clear sky (W/m2; zeros where the place is unknown), and the local hour of the day. Room
    temperatures may be NaN."""

    step: float
    room: Floats
    outdoor: Floats
    heat: Floats
    sun: Floats
    hour: Floats


@dataclass(frozen=True, slots=True)
class Home:
    """A fitted home. `parameters`: logarithms in the order of `NAMES`, then gains (W) and their waves over the day (W); `deviation`: one
    standard deviation of each. `error_k`: mean absolute error a day ahead, over days that were not learnt from where there were enough."""

    parameters: Floats
    deviation: Floats
    error_k: float

    @property
    def loss_w_per_k(self) -> float:
        """Heat that the home loses for each kelvin between inside and outside (W/K)."""
        rie, rea = np.exp(self.parameters[:2]).tolist()
        return float(1.0 / (rie + rea))

    @property
    def time_constants_h(self) -> tuple[float, float]:
        """In how many hours the home follows: the quick one of its air, the slow one of its walls."""
        matrix = _system(self.parameters)[0][:2, :2]
        quick, slow = sorted((-1.0 / np.linalg.eigvals(matrix).real / HOUR_S).tolist())
        return quick, slow


def clear_sky(t: Floats, latitude: float, longitude: float) -> Floats:
    """Global irradiance on the horizontal under a clear sky (W/m2) at times `t` (s since 1970 UTC), for a place in degrees.

    Haurwitz (Journal of Meteorology 2, 1945); declination by Cooper (Solar Energy 12, 1969). The equation of time
    (at most 17 min) is left out.
    """
    day = np.mod(t / DAY_S, 365.2425) + 1.0
    declination = np.radians(23.45) * np.sin(2 * np.pi * (284.0 + day) / 365.0)
    angle = 2 * np.pi * (np.mod(t, DAY_S) / DAY_S + longitude / 360.0 - 0.5)
    phi = np.radians(latitude)
    sine = np.maximum(np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(angle), 1e-3)
    return np.asarray(np.where(sine > 1e-3, 1098.0 * sine * np.exp(-0.057 / sine), 0.0))


def _system(parameters: Floats) -> tuple[Floats, Floats]:
    """The continuous system of (Ti, Te, unknown heat) under (heat on air, outdoor temperature)."""
    rie, rea, ci, ce = np.exp(parameters[:4])
    a = np.array([[-1 / (rie * ci), 1 / (rie * ci), 1 / ci], [1 / (rie * ce), -(1 / rie + 1 / rea) / ce, 0.0], [0.0, 0.0, -1 / FADING_S]])
    b = np.array([[1 / ci, 0.0], [0.0, 1 / (rea * ce)], [0.0, 0.0]])
    return a, b


def step_matrices(parameters: Floats, step: float) -> tuple[Floats, Floats]:
    """The exact step of `step` seconds for inputs that stand still: next state = first @ state + second @ inputs."""
    from scipy.linalg import expm  # noqa: PLC0415 - heavy, for workers alone

    a, b = _system(parameters)
    whole = np.zeros((5, 5))
    whole[:3, :3], whole[:3, 3:] = a, b
    exact = expm(whole * step)
    return exact[:3, :3], exact[:3, 3:]


def _inputs(parameters: Floats, records: Records) -> Floats:
    """Heat on the air and outdoor temperature, (steps, 2)."""
    window, scale = np.exp(parameters[4:6])
    angle = 2 * np.pi * records.hour / 24
    waves = [wave(n * angle) for n in range(1, WAVES + 1) for wave in (np.sin, np.cos)]
    gains = parameters[6] + np.stack(waves, axis=1) @ parameters[7:]
    return np.stack([scale * records.heat + window * records.sun + gains, records.outdoor], axis=1)


def _gain(a: Floats, step: float) -> Floats:
    """The steady-state gain of the Kalman filter for readings of the room, (3,)."""
    from scipy.linalg import LinAlgError, solve_discrete_are  # noqa: PLC0415 - as above

    process = np.diag([1e-4, 1e-4, UNKNOWN_W**2]) * (step / HOUR_S)
    read = np.array([[1.0, 0.0, 0.0]])
    try:
        p = solve_discrete_are(a.T, read.T, process, np.array([[NOISE_K**2]]))
    except LinAlgError:
        return np.array([1.0, 0.0, 0.0])
    return np.asarray((p @ read.T / (read @ p @ read.T + NOISE_K**2))[:, 0])


def states(parameters: Floats, records: Records) -> Floats:
    """What the filter knows at each step from the readings up to it: (steps, 3)."""
    a, b = step_matrices(parameters, records.step)
    gain = _gain(a, records.step)
    forced = _inputs(parameters, records) @ b.T
    known = ~np.isnan(records.room)
    first = float(records.room[known][0])
    rie, rea = np.exp(parameters[:2])
    # three numbers a step: plain Python is several times as fast as arrays that small
    (a00, a01, a02), (a10, a11, a12), (a20, a21, a22) = a.tolist()
    gain_air, gain_mass, gain_heat = gain.tolist()
    air, mass, heat = first, float((first * rea + float(records.outdoor[0]) * rie) / (rie + rea)), 0.0
    out: list[tuple[float, float, float]] = []
    for reading, there, (to_air, to_mass, to_heat) in zip(records.room.tolist(), known.tolist(), forced.tolist(), strict=True):
        if there:
            off = reading - air
            air, mass, heat = air + gain_air * off, mass + gain_mass * off, heat + gain_heat * off
        out.append((air, mass, heat))
        air, mass, heat = (
            a00 * air + a01 * mass + a02 * heat + to_air,
            a10 * air + a11 * mass + a12 * heat + to_mass,
            a20 * air + a21 * mass + a22 * heat + to_heat,
        )
    return np.array(out)


def ahead(parameters: Floats, records: Records, starts: Ints, steps: int) -> Floats:
    """Room temperatures of the next `steps` steps from each start, with the heat and weather that came: (starts, steps)."""
    a, b = step_matrices(parameters, records.step)
    forced = _inputs(parameters, records) @ b.T
    state = states(parameters, records)[starts]
    out = np.empty((len(starts), steps))
    for n in range(steps):
        state = state @ a.T + forced[starts + n]
        out[:, n] = state[:, 0]
    return out


def errors(parameters: Floats, records: Records, spacing_s: float = 3 * HOUR_S) -> Floats:
    """Forecast less reading (K), up to a day ahead from starts a few hours apart, the first day left to the filter: (starts, steps)."""
    steps, spacing = round(HORIZON_S / records.step), max(round(spacing_s / records.step), 1)
    starts = np.arange(steps, len(records.room) - steps, spacing)
    came = records.room[starts[:, None] + 1 + np.arange(steps)]
    return np.asarray(ahead(parameters, records, starts, steps) - came)


def fit(records: Records) -> Home | None:
    """The home of these records, at most some weeks of them; None where fewer than five days of room temperature are known.

    The error is told of the last quarter of the days by what the first three quarters taught; the parameters are then learnt from all.
    """
    known = int((~np.isnan(records.room)).sum())
    if known * records.step < LEAST_DAYS * DAY_S:
        return None
    cut = round(0.75 * len(records.room))
    early, _ = _mode(_part(records, 0, cut), USUAL_ALL)
    late = errors(early, _part(records, cut - round(DAY_S / records.step), len(records.room)))
    last = late[:, -max(round(2 * HOUR_S / records.step), 1) :]
    parameters, deviation = _mode(records, early)
    return Home(parameters, deviation, float(np.nanmean(np.abs(last))) if (~np.isnan(last)).any() else float("nan"))


USUAL_ALL = np.concatenate([USUAL, [GAINS_W], np.zeros(2 * WAVES)])
_SPREAD_ALL = np.concatenate([SPREAD, [GAINS_SD_W], np.full(2 * WAVES, WAVE_SD_W)])
_BOUNDS = (
    np.concatenate([LOW, np.full(1 + 2 * WAVES, -2000.0)]),
    np.concatenate([HIGH, np.full(1 + 2 * WAVES, 3000.0)]),
)


def _mode(records: Records, start: Floats) -> tuple[Floats, Floats]:
    """The mode of the posterior and one standard deviation of each parameter."""
    from scipy.optimize import least_squares  # noqa: PLC0415 - as above

    picked = np.unique(np.round(np.array([1, 3, 6, 12, 18, 24]) * HOUR_S / records.step).astype(np.int64)) - 1
    independent = max(len(records.room) * records.step / DAY_S, 1.0)

    def misfit(scaled: Floats) -> Floats:
        parameters = USUAL_ALL + scaled * _SPREAD_ALL
        wrong = np.nan_to_num(errors(parameters, records)[:, picked]).ravel()
        # readings hours apart tell the same; all together they count as one reading at each horizon a day
        worth = np.sqrt(independent * len(picked) / max(len(wrong), 1))
        return np.concatenate([worth * np.clip(wrong, -20, 20) / EXPECTED_ERROR_K, scaled])

    low, high = ((bound - USUAL_ALL) / _SPREAD_ALL for bound in _BOUNDS)
    begin = np.clip((start - USUAL_ALL) / _SPREAD_ALL, low + 1e-6, high - 1e-6)
    found = least_squares(misfit, begin, bounds=(low, high), max_nfev=25, diff_step=1e-3)
    covariance = np.linalg.inv(found.jac.T @ found.jac)
    return USUAL_ALL + found.x * _SPREAD_ALL, np.sqrt(np.diag(covariance)) * _SPREAD_ALL


def _part(records: Records, start: int, end: int) -> Records:
    parts = (records.room, records.outdoor, records.heat, records.sun, records.hour)
    return Records(records.step, *(values[start:end] for values in parts))
