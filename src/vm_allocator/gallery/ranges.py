"""Two correct allocators of ranges, on a plain sorted list: what the bugs of the gallery bend.

Written to be read, and to be overridden in small steps; it takes linear time everywhere. The
shipped allocators are others: see `vm_allocator.address`.
"""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeAlias, TypedDict

from vm_allocator.policy import FirstMatch

if TYPE_CHECKING:
    from vm_allocator.policy import Order
    from vm_allocator.ranges import RangeInclusive


Place: TypeAlias = tuple[int, int]
"""Where a range starts, and its size."""


class Options(TypedDict):
    """What may be asked of a place."""

    align: int
    within: RangeInclusive[int] | None


class DeclinedError(Exception):
    """The one error by which the allocators of the gallery refuse; `refusal` says why."""

    def __init__(self, refusal: str) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class Gap(NamedTuple):
    """A free interval, both ends included."""

    first: int
    last: int

    def clipped(self, window: Gap) -> Gap:
        """Return the part of it that lies in the window; it may be empty."""
        return Gap(max(self.first, window.first), min(self.last, window.last))

    def holds(self, start: int, size: int) -> bool:
        """Whether `size` units from `start` on lie in it."""
        return self.first <= start and start + size - 1 <= self.last


class ListAllocator:
    """First, last and exact fit over a sorted list of maximal gaps. Correct."""

    refusals: ClassVar[tuple[type[Exception], ...]] = (DeclinedError,)
    profile: ClassVar[dict[str, object]] = {}

    def __init__(self, base: int, size: int) -> None:
        self.space = Gap(base, base + size - 1)
        self.gaps = [self.space]
        self.held: dict[int, int] = {}
        """Start and size of each live range."""

    # ---- the interface

    def allocate(
        self,
        resource: int | None,
        size: int,
        *,
        align: int = 1,
        policy: Order = FirstMatch,
        within: RangeInclusive[int] | None = None,
    ) -> int:
        """Grant the start of `size` units: at `resource` if given, else where `policy` says.

        Raises `DeclinedError`.
        """
        self.check(size, align)
        window = self.space if within is None else Gap(within.start, within.end)
        if resource is not None:
            return self.reserve(self.exact(resource, size, align, window), size)
        search = self.lowest if policy is FirstMatch else self.highest
        return self.grant(search(size, align, window), size)

    def free(self, resource: int, size: int) -> None:
        """Free exactly that live range. Raises `DeclinedError`."""
        self.check_held(resource, size)
        del self.held[resource]
        self.give_back(Gap(resource, resource + size - 1))

    def update(
        self,
        old_resource: int,
        old_size: int,
        new_resource: int,
        new_size: int,
        *,
        align: int = 1,
        within: RangeInclusive[int] | None = None,
    ) -> None:
        """Move a live range; the new place may overlap the old one. Raises `DeclinedError`."""
        old = old_resource, old_size
        self.relocate(old, (new_resource, new_size), {"align": align, "within": within})

    # ---- the steps

    def check(self, size: int, align: int) -> None:
        """Decline what makes no sense."""
        if size < 1:
            raise DeclinedError("size")
        if align < 1 or align & (align - 1):
            raise DeclinedError("alignment")

    def check_held(self, start: int, size: int) -> None:
        """Decline what is not live exactly so."""
        if self.held.get(start) != size:
            raise DeclinedError("not live")

    def relocate(self, old: Place, new: Place, options: Options) -> None:
        """Free the old range and allocate the new one; put the old one back if that fails."""
        self.free(*old)
        try:
            self.allocate(*new, **options)
        except DeclinedError:
            self.take(*old)
            raise

    def grant(self, start: int | None, size: int) -> int:
        """Take what a search has found, or decline."""
        if start is None:
            raise DeclinedError("no room")
        self.take(start, size)
        return start

    def reserve(self, start: int | None, size: int) -> int:
        """Take the place that was asked for, or decline."""
        return self.grant(start, size)

    def lowest(self, size: int, align: int, window: Gap) -> int | None:
        """Return the lowest start that fits."""
        for gap in self.gaps:
            part = gap.clipped(window)
            start = self.aligned_up(part.first, align)
            if self.fits(part, start, size):
                return start
        return None

    def highest(self, size: int, align: int, window: Gap) -> int | None:
        """Return the highest start that fits."""
        for gap in reversed(self.gaps):
            part = gap.clipped(window)
            start = self.aligned_down(part.last - size + 1, align)
            if self.fits(part, start, size):
                return start
        return None

    def exact(self, start: int, size: int, align: int, window: Gap) -> int | None:
        """Return the start itself, if it fits there."""
        aligned = self.aligned_up(start, align) == start
        free = any(self.fits(gap.clipped(window), start, size) for gap in self.gaps)
        return start if aligned and free else None

    def fits(self, part: Gap, start: int, size: int) -> bool:
        """Whether the range lies in that part of a gap."""
        return part.holds(start, size)

    def aligned_up(self, address: int, align: int) -> int:
        """Return the lowest multiple of the alignment that is not below the address."""
        return (address + align - 1) & -align

    def aligned_down(self, address: int, align: int) -> int:
        """Return the highest multiple of the alignment that is not above the address."""
        return address & -align

    def take(self, start: int, size: int) -> None:
        """Cut a range out of the gaps, and record it."""
        end = start + size - 1
        pieces = [
            piece
            for gap in self.gaps
            for piece in (
                Gap(gap.first, min(gap.last, start - 1)),
                Gap(max(gap.first, end + 1), gap.last),
            )
        ]
        self.gaps = [piece for piece in pieces if piece.first <= piece.last]
        self.held[start] = size

    def give_back(self, freed: Gap) -> None:
        """Add a range to the gaps, melted into one with its neighbours."""
        for gap in (self.left_of(freed), self.right_of(freed)):
            if gap is not None:
                self.gaps.remove(gap)
                freed = Gap(min(gap.first, freed.first), max(gap.last, freed.last))
        insort(self.gaps, freed)

    def left_of(self, freed: Gap) -> Gap | None:
        """Return the gap that ends right before the range."""
        return next((gap for gap in self.gaps if gap.last == freed.first - 1), None)

    def right_of(self, freed: Gap) -> Gap | None:
        """Return the gap that begins right after the range."""
        return next((gap for gap in self.gaps if gap.first == freed.last + 1), None)


class AnyFitAllocator(ListAllocator):
    """Some fit: the search goes on where the last one ended. Correct, for who may choose."""

    profile: ClassVar[dict[str, object]] = {"policies": ["any", "exact"]}

    def __init__(self, base: int, size: int) -> None:
        super().__init__(base, size)
        self.rover = base

    def lowest(self, size: int, align: int, window: Gap) -> int | None:
        """Return the lowest start after the last one granted; if there is none, the lowest."""
        rest = window.clipped(Gap(self.rover, self.space.last))
        start = super().lowest(size, align, rest)
        if start is None:
            start = super().lowest(size, align, window)
        if start is not None:
            self.rover = start + size
        return start
