"""The meter: measures add up in cells, and at the end of a period each cell becomes a sample.

A cell is one value of one process image: of one metric, with one set of kept tags. All periods end
at the same moments, counted from the first measure. A measure that comes late (another thread was
slower) counts for the period it comes in, so that sums are exact in any case. Nothing is kept of an
image that measured nothing for a period, but for gauges that last: connections stay open although
nothing happens. An image of too many cells has them written early.

`Meter.measure` is called for every call that a program makes with files: it does what it must and
no more, all else is in the paths less taken.

What is 0 is not told, with one exception: a gauge that lasts and was told is told once more when it
is back at 0, since who reads it takes the last value for how things are. When an image ends, of
what came and went since the last period the most there was at once is told: a program of a tenth of
a second had its connections, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scopetrace.metrics.verbosity import MEANS, Plan, plans
from scopetrace.model.image import Image
from scopetrace.model.metric import Sample

MOST_CELLS = 10_000
"""Of one image in one period."""
LARGEST_INTEGER = 2**63 - 1
"""The largest number that the session file holds as an integer."""
LARGEST = 1e300
"""Numbers of a program's own beyond this are taken for a mistake."""

Key = Any
"""The values of the kept tags: a tuple, or one alone, or None."""
Tags = tuple[tuple[str, Any], ...]
"""The kept tags with their values."""


class Series:
    """All cells of one metric of an image."""

    __slots__ = ("cells", "gauge", "held", "key", "most", "plan", "told", "totals")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.key = plan.key
        self.gauge = plan.gauge
        self.cells: dict[Key, list[float]] | None = None if plan.apart or plan.lasting else {}
        """[value, number of operations]; None: nothing is summed up."""
        self.held: dict[Key, float] | None = {} if plan.lasting else None
        """Values that last, by all their tags; none of them is 0."""
        self.totals: dict[Tags, float] = {}
        """What they add up to, by the tags that are kept; none of them is 0."""
        self.most: dict[Tags, float] = {}
        """The most that they have added up to in this period."""
        self.told: dict[Tags, float] = {}
        """What was told of them at the end of the last period."""


class Account:
    """What one image has measured in this period."""

    __slots__ = ("cells", "own", "plans", "series")

    def __init__(self, chosen: dict[str, Plan]) -> None:
        self.plans = chosen
        self.series: dict[str, Series] = {}
        self.own: dict[tuple[Any, ...], list[float]] = {}
        """(name, type, tags, value of a set) → [value, number of operations]."""
        self.cells = 0
        """How many there are."""


class Meter:
    """Sums up what the images of a session measure.

    Args:
        period_ns: length of a period.
        began: told of an image before its first sample; perhaps more than once.
    """

    def __init__(self, period_ns: int, began: Callable[[Image], object]) -> None:
        self.turned_ns = 0
        """When the last period ended; 0: none has."""
        self._period_ns = period_ns
        self._began = began
        self._due_ns = 0
        self._accounts: dict[Image, Account] = {}
        self._ready: list[Sample] = []

    def measure(
        self, image: Image, time_ns: int, name: str, value: float, numops: int = 1, **tags: Any
    ) -> None:
        """Count a measure; see `source.Outlet`."""
        if time_ns >= self._due_ns:
            self.turn(time_ns)
        account = self._accounts.get(image) or self._open(image)
        series = account.series.get(name) or self._begin(account, name)
        cells = series.cells
        if cells is None:
            if series.held is None:
                self._tell(image, time_ns, series.plan, value, numops, tags)
            else:
                self._hold(image, account, series, time_ns, value, tags)
            return
        try:
            key = None if series.key is None else series.key(tags)
        except KeyError:
            key = _loose_key(series.plan.kept, tags)
        cell = cells.get(key)
        if cell is None:
            cells[key] = [value, numops]
            self._count(image, account, time_ns)
        elif series.gauge:
            cell[0] = value
        else:
            cell[0] += value
            cell[1] += numops

    def measure_own(
        self, image: Image, time_ns: int, name: str, type: str, value: float, tags: dict[str, str]
    ) -> None:
        """Count a measure of the program's own; see `source.Outlet`."""
        if not -LARGEST < value < LARGEST:  # nor is a NaN
            return
        if time_ns >= self._due_ns:
            self.turn(time_ns)
        account = self._accounts.get(image) or self._open(image)
        key = (name, type, tuple(sorted(tags.items())), value if type == "set" else None)
        cell = account.own.get(key)
        if cell is None:
            account.own[key] = [value, 1]
            self._count(image, account, time_ns)
        elif type in ("gauge", "set"):
            cell[0] = value
        else:
            cell[0] += value
            cell[1] += 1

    def tell(self, image: Image, time_ns: int, name: str, value: float) -> None:
        """Take a value that is a sample already."""
        self._began(image)
        plan = plans(image.rules.verbosity)[name]
        self._tell(image, time_ns, plan, value, 1, {})

    def turn(self, now_ns: int) -> None:
        """End the period if its time has come."""
        if not self._due_ns:
            self._due_ns = now_ns + self._period_ns
        if now_ns < self._due_ns:
            return
        for image in list(self._accounts):
            self._settle(image, self._due_ns, going_on=True)
        missed = (now_ns - self._due_ns) // self._period_ns
        self.turned_ns = self._due_ns + missed * self._period_ns
        self._due_ns = self.turned_ns + self._period_ns

    def end(self, image: Image, time_ns: int, replaced: bool = False) -> None:
        """Take leave of an image; if it was replaced, what is open goes on with the next one."""
        account = self._accounts.get(image)
        for series in account.series.values() if account and replaced else ():
            series.most.clear()
        self._settle(image, time_ns, going_on=False)

    def finish(self, now_ns: int) -> None:
        """End the session."""
        for image in list(self._accounts):
            self._settle(image, now_ns, going_on=False)

    def take(self) -> list[Sample]:
        """Return the samples since the last time, in the order in which they were made."""
        ready, self._ready = self._ready, []
        return ready

    def _open(self, image: Image) -> Account:
        self._began(image)
        chosen = plans(image.rules.verbosity)
        account = self._accounts[image] = Account(chosen)
        return account

    def _begin(self, account: Account, name: str) -> Series:
        series = account.series[name] = Series(account.plans[name])
        return series

    def _count(self, image: Image, account: Account, time_ns: int) -> None:
        """Count one more cell; if there are too many, write them."""
        account.cells += 1
        if account.cells >= MOST_CELLS:
            held = sum(len(series.held or ()) for series in account.series.values())
            self._settle(image, time_ns, going_on=held < MOST_CELLS // 2)

    def _hold(
        self, image: Image, account: Account, series: Series, time_ns: int, value: float,
        tags: dict[str, Any],
    ) -> None:  # fmt: skip
        """Set a value that lasts until it is 0."""
        held = series.held if series.held is not None else {}
        key = tuple(tags.get(tag) for tag in series.plan.tags)
        known = held.pop(key, 0)
        _sum_up(series, key, value - known)
        if value:
            held[key] = value
            if not known:
                self._count(image, account, time_ns)

    def _settle(self, image: Image, time_ns: int, going_on: bool) -> None:
        """Turn the cells of an image into samples, and keep those that last if it goes on."""
        account = self._accounts.pop(image, None)
        if account is None:
            return
        for series in account.series.values():
            for key, (value, numops) in (series.cells or {}).items():
                tags = _named(series.plan.kept, key)
                self._tell(image, time_ns, series.plan, value, int(numops), tags)
            for kept, value in _lasting(series, going_on).items():
                self._tell(image, time_ns, series.plan, value, 1, dict(kept), even_0=True)
        for (name, type, own_tags, _), (value, numops) in account.own.items():
            self._tell_own(image, time_ns, name, type, value, int(numops), dict(own_tags))
        if going_on:
            self._keep(image, account)

    def _keep(self, image: Image, account: Account) -> None:
        lasting = {
            name: series for name, series in account.series.items() if series.held or series.told
        }
        if lasting:
            kept = self._accounts[image] = Account(account.plans)
            kept.series = lasting
            kept.cells = sum(len(series.held or ()) for series in lasting.values())

    def _tell(
        self, image: Image, time_ns: int, plan: Plan, value: float, numops: int,
        tags: dict[str, Any], even_0: bool = False,
    ) -> None:  # fmt: skip
        if not (value or even_0):
            return
        if plan.mean and numops > 1:
            value /= numops
        told = {tag: tags[tag] for tag in plan.kept if tags.get(tag) is not None}
        if plan.numops:
            told["numops"] = numops
        told.update(image.rules.tags)
        self._ready.append(
            Sample(time_ns, image.id, plan.name, plan.type, plan.unit, _storable(value), told)
        )

    def _tell_own(
        self, image: Image, time_ns: int, name: str, type: str, value: float, numops: int,
        tags: dict[str, Any],
    ) -> None:  # fmt: skip
        """As `_tell`, but what a program says of itself is told even if it is 0."""
        if type in MEANS and numops > 1:
            value /= numops
        told = {**image.rules.tags, **tags}
        self._ready.append(Sample(time_ns, image.id, name, type, "", _storable(value), told))


def _loose_key(kept: tuple[str, ...], tags: dict[str, Any]) -> Key:
    """Return a key of tags some of which are not known."""
    values = tuple(tags.get(tag) for tag in kept)
    return values if len(values) > 1 else values[0]


def _named(kept: tuple[str, ...], key: Key) -> dict[str, Any]:
    """Return the tags that a key was made of."""
    if len(kept) < 2:
        return dict.fromkeys(kept, key)
    return dict(zip(kept, key, strict=True))


def _sum_up(series: Series, key: tuple[Any, ...], change: float) -> None:
    """Note that one of the values that last has changed by so much."""
    named = zip(series.plan.tags, key, strict=True)
    kept = tuple((tag, said) for tag, said in named if tag in series.plan.kept)
    total = series.totals.pop(kept, 0) + change
    if total:
        series.totals[kept] = total
        series.most[kept] = max(total, series.most.get(kept, 0))


def _lasting(series: Series, going_on: bool) -> dict[Tags, float]:
    """Return what is to be told of values that last, at the end of a period, which begins anew.

    What was told before is told as it stands now, if only as 0.
    """
    most = {} if going_on else series.most
    told = most | dict.fromkeys(series.told, 0) | series.totals
    series.told, series.most = dict(series.totals), dict(series.totals)
    return told


def _storable(value: float) -> float:
    """Return a number that the session file can hold."""
    if isinstance(value, int) and not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        return float(value)
    return value
