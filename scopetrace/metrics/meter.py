"""The meter: measures add up in cells, and at the end of a period each cell becomes a sample.

A cell is one value of one process image: of one metric, with one set of kept tags. All periods end
at the same moments, counted from the first measure. A measure that comes late (another thread was
slower) counts for the period it comes in, so that sums are exact in any case. The account of an
image that made no measure for a period is dropped, but for lasting gauges: connections stay open
without any call. An image with too many cells has them written early.

`Meter.measure_with` is called for every call that a program makes with files, so the usual path
through it is short.

There is no sample of 0, with one exception: a lasting gauge that had a sample has one more when it
is back at 0, since a reader takes the last value for the present one. When an image ends, a lasting
gauge has the most that it reached since the last period: a program of a tenth of a second had its
connections, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scopetrace.metrics.verbosity import MEANS, Plan, plans
from scopetrace.model.image import Image
from scopetrace.model.metric import Sample, in_order
from scopetrace.model.named import build, values

MOST_CELLS = 10_000
"""Of one image in one period."""
LARGEST_INTEGER = 2**63 - 1
"""The largest number that the session file holds as an integer."""
LARGEST = 1e300
"""Numbers of a program's own beyond this are taken for a mistake."""

Key = Any
"""The values of the kept tags: a tuple, or one alone."""
Tags = tuple[tuple[str, Any], ...]
"""The kept tags with their values."""


class Cell:
    """What the measures of one value come to in this period."""

    __slots__ = ("numops", "value")

    def __init__(self, value: float, numops: int) -> None:
        self.value = value
        self.numops = numops
        """The number of operations."""


class Series:
    """All cells of one metric of an image."""

    __slots__ = ("cells", "lasting", "only", "plan")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.only = plan.places[0] if len(plan.places) == 1 else -1
        """Where the only tag is that is kept; -1: none or several are."""
        self.cells: dict[Key, Cell] | None = None if plan.apart or plan.lasting else {}
        """None: each measure is a sample, or lasts."""
        self.lasting = Lasting() if plan.lasting else None


class Lasting:
    """The values of a lasting gauge."""

    __slots__ = ("emitted", "held", "most", "totals")

    def __init__(self) -> None:
        self.held: dict[Key, float] = {}
        """Those other than 0, by all their tags."""
        self.totals: dict[Tags, float] = {}
        """Their sums by the tags that are kept; without those that are 0."""
        self.most: dict[Tags, float] = {}
        """The highest sums of this period."""
        self.emitted: dict[Tags, float] = {}
        """The sums of the samples at the end of the last period."""


class Account:
    """What one image has measured in this period."""

    __slots__ = ("cells", "own", "plans", "series")

    def __init__(self, chosen: dict[str, Plan]) -> None:
        self.plans = chosen
        self.series: dict[str, Series] = {}
        self.own: dict[tuple[Any, ...], Cell] = {}
        """By (name, type, tags, value of a set)."""
        self.cells = 0
        """How many there are."""


class Meter:
    """Sums up what the images of a session measure.

    Args:
        period_ns: length of a period.
        ensure_process: called with an image before its first sample; perhaps more than once.
    """

    def __init__(self, period_ns: int, ensure_process: Callable[[Image], object]) -> None:
        self.period_ended_ns = 0
        """When the last period ended; 0: the first one has not."""
        self._period_ns = period_ns
        self._ensure_process = ensure_process
        self._due_ns = 0
        self._accounts: dict[Image, Account] = {}
        self._measured: Image | None = None
        self._account: Account | None = None
        """That of `_measured`, which had the last measure: the next one is mostly its own, too."""
        self._ready: list[Sample] = []

    def measure(
        self, image: Image, time_ns: int, name: str, value: float, numops: int = 1, **tags: Any
    ) -> None:
        """Count a measure; see `source.Outlet`."""
        self.measure_with(image, time_ns, name, value, numops, in_order(name, tags))

    def measure_with(
        self,
        image: Image,
        time_ns: int,
        name: str,
        value: float,
        numops: int,
        tags: tuple[Any, ...],
    ) -> None:
        """Count a measure; see `source.Outlet`."""
        if time_ns >= self._due_ns:
            self.end_period(time_ns)
        account = self._account
        if account is None or image is not self._measured:
            account = self._find(image)
        series = account.series.get(name) or self._begin(account, name)
        if series.lasting is not None:
            self._hold(image, account, series.plan, series.lasting, time_ns, value, tags)
            return
        if series.only >= 0:
            key = tags[series.only]
        else:
            key = tuple([tags[place] for place in series.plan.places])
        cells = series.cells
        if cells is None:
            kept = _named(series.plan.kept, key)
            self._add_sample(image, time_ns, series.plan, value, numops, kept)
            return
        cell = cells.get(key)
        if cell is None:
            cells[key] = Cell(value, numops)
            self._count(image, account, time_ns)
        elif series.plan.gauge:
            cell.value = value
        else:
            cell.value += value
            cell.numops += numops

    def measure_own(
        self, image: Image, time_ns: int, name: str, type: str, value: float, tags: dict[str, str]
    ) -> None:
        """Count a measure of the program's own; see `source.Outlet`."""
        if not -LARGEST < value < LARGEST:  # nor is a NaN
            return
        if time_ns >= self._due_ns:
            self.end_period(time_ns)
        account = self._find(image)
        key = (name, type, tuple(sorted(tags.items())), value if type == "set" else None)
        cell = account.own.get(key)
        if cell is None:
            account.own[key] = Cell(value, 1)
            self._count(image, account, time_ns)
        elif type in ("gauge", "set"):
            cell.value = value
        else:
            cell.value += value
            cell.numops += 1

    def sample(self, image: Image, time_ns: int, name: str, value: float) -> None:
        """Add a sample that was measured as such."""
        self._ensure_process(image)
        plan = plans(image.rules.verbosity)[name]
        self._add_sample(image, time_ns, plan, value, 1, {})

    def end_period(self, now_ns: int) -> None:
        """End the period if its time has come."""
        if not self._due_ns:
            self._due_ns = now_ns + self._period_ns
        if now_ns < self._due_ns:
            return
        for image in list(self._accounts):
            self._flush(image, self._due_ns, going_on=True)
        missed = (now_ns - self._due_ns) // self._period_ns
        self.period_ended_ns = self._due_ns + missed * self._period_ns
        self._due_ns = self.period_ended_ns + self._period_ns

    def end(self, image: Image, time_ns: int, replaced: bool = False) -> None:
        """Flush an image that ended; if it was replaced, what is open goes on with the next one."""
        account = self._accounts.get(image)
        for lasting in _lasting(account) if account and replaced else ():
            lasting.most.clear()
        self._flush(image, time_ns, going_on=False)

    def finish(self, now_ns: int) -> None:
        """End the session."""
        for image in list(self._accounts):
            self._flush(image, now_ns, going_on=False)

    def take(self) -> list[Sample]:
        """Return the samples since the last time, in the order in which they were made."""
        ready, self._ready = self._ready, []
        return ready

    def _find(self, image: Image) -> Account:
        """Return the account of an image, a new one if there is none."""
        account = self._accounts.get(image)
        if account is None:
            self._ensure_process(image)
            account = self._accounts[image] = Account(plans(image.rules.verbosity))
        self._measured, self._account = image, account
        return account

    def _begin(self, account: Account, name: str) -> Series:
        series = account.series[name] = Series(account.plans[name])
        return series

    def _count(self, image: Image, account: Account, time_ns: int) -> None:
        """Count one more cell; flush them if there are too many."""
        account.cells += 1
        if account.cells >= MOST_CELLS:
            held = sum(len(lasting.held) for lasting in _lasting(account))
            self._flush(image, time_ns, going_on=held < MOST_CELLS // 2)

    def _hold(
        self,
        image: Image,
        account: Account,
        plan: Plan,
        lasting: Lasting,
        time_ns: int,
        value: float,
        tags: tuple[Any, ...],
    ) -> None:
        """Set a lasting value, which is forgotten when it is 0."""
        held = lasting.held
        known = held.pop(tags, 0)
        _sum_up(plan, lasting, tags, value - known)
        if value:
            held[tags] = value
            if not known:
                self._count(image, account, time_ns)

    def _flush(self, image: Image, time_ns: int, going_on: bool) -> None:
        """Make samples of the cells of an image; keep the lasting ones if it goes on."""
        account = self._accounts.pop(image, None)
        if account is None:
            return
        self._measured = self._account = None
        for series in account.series.values():
            for key, cell in (series.cells or {}).items():
                tags = _named(series.plan.kept, key)
                self._add_sample(image, time_ns, series.plan, cell.value, cell.numops, tags)
            if series.lasting is None:
                continue
            for kept, value in _take_lasting(series.lasting, going_on).items():
                self._add_sample(image, time_ns, series.plan, value, 1, dict(kept), even_0=True)
        for (name, type, own_tags, _), cell in account.own.items():
            tags = dict(own_tags)
            self._add_own_sample(image, time_ns, name, type, cell.value, cell.numops, tags)
        if going_on:
            self._keep(image, account)

    def _keep(self, image: Image, account: Account) -> None:
        kept = Account(account.plans)
        for name, series in account.series.items():
            if series.lasting is not None and (series.lasting.held or series.lasting.emitted):
                kept.series[name] = series
                kept.cells += len(series.lasting.held)
        if kept.series:
            self._accounts[image] = kept

    def _add_sample(
        self,
        image: Image,
        time_ns: int,
        plan: Plan,
        value: float,
        numops: int,
        tags: dict[str, Any],
        even_0: bool = False,
    ) -> None:
        """Add a sample; its tags become the sample's own."""
        if not (value or even_0):
            return
        if plan.mean and numops > 1:
            value /= numops
        if plan.numops:
            tags["numops"] = numops
        if more := image.rules.tags:
            tags.update(more)
        what = (time_ns, image.id, plan.name, plan.type, plan.unit, _storable(value), tags)
        self._ready.append(build(Sample, what))

    def _add_own_sample(
        self,
        image: Image,
        time_ns: int,
        name: str,
        type: str,
        value: float,
        numops: int,
        tags: dict[str, Any],
    ) -> None:
        """Add a sample of a metric that the program itself sent, even if it is 0."""
        if type in MEANS and numops > 1:
            value /= numops
        kept = {**image.rules.tags, **tags}
        self._ready.append(Sample(time_ns, image.id, name, type, "", _storable(value), kept))


def _named(kept: tuple[str, ...], key: Key) -> dict[str, Any]:
    """Return the tags that a key was made of, those that are known."""
    if len(kept) == 1:
        return {} if key is None else {kept[0]: key}
    named = values(key)
    return {kept[at]: named[at] for at in range(len(kept)) if named[at] is not None}


def _sum_up(plan: Plan, lasting: Lasting, key: tuple[Any, ...], change: float) -> None:
    """Note that a lasting value has changed by so much."""
    named = zip(plan.tags, key, strict=True)
    kept = tuple((tag, text) for tag, text in named if tag in plan.kept and text is not None)
    total = lasting.totals.pop(kept, 0) + change
    if total:
        lasting.totals[kept] = total
        lasting.most[kept] = max(total, lasting.most.get(kept, 0))


def _lasting(account: Account) -> list[Lasting]:
    """Return what lasts of an account."""
    return [each.lasting for each in account.series.values() if each.lasting is not None]


def _take_lasting(lasting: Lasting, going_on: bool) -> dict[Tags, float]:
    """Return the samples of lasting values at the end of a period, and begin a new period.

    1. What is not 0 now. 2. What had a sample at the end of the last period, if only as 0 now.
    3. If the image ends: what came and went since then, the most there was of it.
    """
    most = {} if going_on else lasting.most
    found = most | dict.fromkeys(lasting.emitted, 0) | lasting.totals
    lasting.emitted, lasting.most = dict(lasting.totals), dict(lasting.totals)
    return found


def _storable(value: float) -> float:
    """Return a number that the session file can hold."""
    if isinstance(value, int) and not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        return float(value)
    return value
