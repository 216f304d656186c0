"""The machine that drives an allocator of ranges, whatever they are ranges of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .base import SessionMachine, has_gap, has_holds, has_live, has_pending, step

if TYPE_CHECKING:
    from random import Random


class RangesMachine(SessionMachine):
    """Random operations on an allocator and a copy of it.

    `Lockstep` compares outcomes, live ranges, gaps and the allocator's own invariants at
    every step.
    """

    def operate(self, on: str, method: str, *arguments: Any, **options: Any) -> None:
        """Carry out an operation that is granted or refused, and count which."""
        self.run.tally.count(self.do(on, method, *arguments, **options).refusal)

    # ---- allocate

    @step()
    def allocate_anywhere(self, chance: Random) -> None:
        """Ask what is available, then for the same, and get it."""
        on, draw = self.choose(chance)
        size = draw.any_size()
        request: dict[str, Any] = {
            "align": draw.align(),
            "policy": draw.order(),
            "within": draw.window(),
            "prefer": draw.prefer(),
        }
        self.do(on, "available", size, **request)
        self.operate(on, "allocate", None, size, **request, owner=draw.owner())

    @step()
    def allocate_aligned(self, chance: Random) -> None:
        """Ask for little, aligned to more than it: what leaves odd gaps behind."""
        on, draw = self.choose(chance)
        align = draw.pick(self.run.alignments)
        self.operate(on, "allocate", None, draw.pick((1, 2, 3)), align=align, policy=draw.order())

    @step()
    def allocate_many(self, chance: Random) -> None:
        """Ask for several at once: mostly for little, so that they fit, or for all of a window."""
        on, draw = self.choose(chance)
        if has_gap(self.session.subjects[on]) and draw.pick((True, False)):
            count, size, window = draw.filling()
            self.operate(
                on, "allocate_many", count, size, align=1, policy=draw.order(), within=window
            )
            return
        size = draw.pick((1, 1, 2, 3, draw.any_size()))
        request: dict[str, Any] = {
            "align": draw.align(),
            "policy": draw.order(),
            "within": draw.window(),
        }
        self.operate(on, "allocate_many", draw.any_count(), size, **request, owner=draw.owner())

    @step()
    def allocate_exactly(self, chance: Random) -> None:
        """Insist on a start: on a live range, across it, beside it, out of bounds."""
        on, draw = self.choose(chance)
        resource, policy = draw.exactly(draw.place())
        size = draw.any_size()
        request: dict[str, Any] = {
            "align": draw.align_for_exact(),
            "policy": policy,
            "within": draw.window(),
        }
        if resource is None:
            self.do(on, "available", size, **request)
        self.operate(on, "allocate", resource, size, **request)

    @step(has_live)
    def collide(self, chance: Random) -> None:
        """Insist on a place at, in, over or next to a live range."""
        on, draw = self.choose(chance, has_live)
        start, size = draw.near(draw.live())
        resource, policy = draw.exactly(start)
        self.operate(on, "allocate", resource, size, align=1, policy=policy)

    @step(has_gap)
    def fill_a_gap(self, chance: Random) -> None:
        """Ask for all of a gap, so that no gap is left there."""
        on, draw = self.choose(chance, has_gap)
        start, end = draw.gap()
        resource, policy = draw.exactly(start)
        self.operate(on, "allocate", resource, end - start + 1, align=1, policy=policy)

    # ---- free

    @step(has_live)
    def free_a_live_range(self, chance: Random) -> None:
        """Free what is live."""
        on, draw = self.choose(chance, has_live)
        start, end = draw.live()
        self.operate(on, "free", start, end - start + 1)

    @step()
    def free_anything(self, chance: Random) -> None:
        """Free a part of a range, several of them as one, or what was never live."""
        on, draw = self.choose(chance)
        self.operate(on, "free", draw.place(), draw.any_size())

    # ---- update

    @step(has_live)
    def move_a_live_range(self, chance: Random) -> None:
        """Move what is live to a place that often overlaps it."""
        on, draw = self.choose(chance, has_live)
        old = draw.live()
        old_size = old.end - old.start + 1
        request: dict[str, Any] = {"align": draw.align_for_exact(), "within": draw.window()}
        new = draw.pick((draw.slide(old), draw.near(old)))
        self.operate(on, "update", old.start, old_size, *new, **request, owner=draw.owner())

    @step()
    def move_anything(self, chance: Random) -> None:
        """Move from nowhere, or from what is not live."""
        on, draw = self.choose(chance)
        old: tuple[int | None, int | None] = (None, None)
        if draw.pick((False, True)):
            old = (draw.place(), draw.any_size())
        request: dict[str, Any] = {"align": draw.align_for_exact(), "within": draw.window()}
        self.operate(on, "update", *old, draw.place(), draw.any_size(), **request)

    @step(has_live)
    def permute_or_shift_live_ranges(self, chance: Random) -> None:
        """Let several live ranges take each other's places, or move all by the same distance."""
        on, draw = self.choose(chance, has_live)
        old = draw.several_live()
        places = [one.start for one in old[1:] + old[:1]]
        if draw.pick((True, False)):
            by = draw.pick((1, 2, 4, -1, -2, -4))
            places = [one.start + by for one in old]
        sizes = [one.end - one.start + 1 for one in old]
        changes = [
            (draw.span(one.start, size), draw.span(place, size))
            for one, size, place in zip(old, sizes, places, strict=True)
        ]
        align = draw.align_for_exact() if draw.rarely() else 1
        self.operate(on, "update_many", changes, align=align)

    @step()
    def change_many(self, chance: Random) -> None:
        """Move, free and allocate at once, from anywhere to anywhere."""
        on, draw = self.choose(chance)
        request: dict[str, Any] = {"align": draw.align_for_exact(), "within": draw.window()}
        self.operate(on, "update_many", draw.changes(), **request)

    # ---- move, in two phases

    @step(has_live)
    def begin_a_move(self, chance: Random) -> None:
        """Begin to move what is taken, perhaps by another move, to a place that often overlaps."""
        on, draw = self.choose(chance, has_live)
        old = draw.live()
        new = draw.pick((draw.slide(old), draw.near(old), (draw.place(), draw.any_size())))
        request: dict[str, Any] = {"align": draw.align_for_exact(), "within": draw.window()}
        size = old.end - old.start + 1
        self.operate(on, "begin_move", old.start, size, *new, **request, owner=draw.owner())

    @step(has_pending)
    def end_a_move(self, chance: Random) -> None:
        """Commit or abort one of the pending moves."""
        on, draw = self.choose(chance, has_pending)
        self.do(on, "end_move", chance.randrange(4), draw.pick(("commit", "commit", "abort")))
        self.run.tally.count(None)

    # ---- the platform

    @step()
    def reserve(self, chance: Random) -> None:
        """Keep a place for the platform: mostly a small one, which is often taken."""
        on, draw = self.choose(chance)
        self.operate(on, "reserve", draw.place(), draw.pick((1, 1, 2, draw.any_size())), "firmware")

    @step(has_holds)
    def meet_what_is_reserved(self, chance: Random) -> None:
        """Give it back, or free it, move it, or ask for its place, as if it were one's own."""
        on, draw = self.choose(chance, has_holds)
        held = draw.pick(sorted(self.session.subjects[on].state.holds))  # type: ignore[attr-defined]  # has_holds
        size = held.end - held.start + 1
        how = draw.pick(("unreserve", "unreserve", "free", "update", "allocate"))
        if how == "update":
            self.operate(on, how, held.start, size, *draw.near(held), align=1)
        elif how == "allocate":
            self.operate(on, how, *draw.near(held), align=1)
        else:
            self.operate(on, how, held.start, size)

    # ---- everything else

    @step()
    def save_and_restore(self, chance: Random) -> None:
        """Go on with what is restored of a snapshot."""
        on, _ = self.choose(chance)
        self.do(on, "through_a_snapshot")

    @step()
    def look_up(self, chance: Random) -> None:
        """Ask what lives at a place."""
        on, draw = self.choose(chance)
        self.do(on, "lookup", draw.place())
