"""An allocator and the model, operated together: the first difference is an error.

This is what the state machines and `replay` drive. Every operation is carried out on
both; they must grant the same start or refuse for the same reason, and afterwards have
the same live ranges and the same gaps.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Literal, Self

from spec.model import INVALID_ALIGNMENT, INVALID_SIZE, Allocator, overlaps

from .comparison import MOVE_PENDING, Beside, Call, DisagreementError, show_all
from .modelling import Outcome, Range, Refused, attempt
from .policy import ExactMatch, LastMatch, Policy
from .resource import R, S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .modelling import Step
    from .ranges import RangeInclusive

__all__ = ["Call", "DisagreementError", "Lockstep"]


class Lockstep(Beside[R, S]):
    """An allocator together with its oracle. Public attributes are for reading only.

    Whatever the allocator raises that is no `AllocatorError` is a disagreement too: the
    specification knows grants and refusals, and no crashes.
    """

    def allocate(
        self,
        resource: R | None,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> Outcome[Allocator]:
        """`allocate` on both. Raises `DisagreementError`; a refusal is an outcome."""
        return self._both(
            f"allocate({self._show(resource)}, {self._show(size)}"
            f"{self._options(align=align, policy=policy, within=within)})",
            lambda: self.allocator.allocate(
                resource, size, align=align, policy=policy, within=within
            ),
            self._allocation(resource, size, align, policy, within),
        )

    def allocate_many(
        self,
        count: int,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> Outcome[Allocator]:
        """`allocate_many` on both. Raises `DisagreementError`; a refusal is an outcome."""
        request = self._request(size, align, within)
        act = (
            self.model.allocate_many_last if policy is LastMatch else self.model.allocate_many_first
        )
        expected = attempt(self.model, lambda: act(count, request))

        def operate() -> str:
            granted = self.allocator.allocate_many(
                count, size, align=align, policy=policy, within=within
            )
            return ", ".join(self._show(start) for start in granted)

        wanted = ", ".join(map(self.allocator._unit.show, expected.starts))  # noqa: SLF001  # hex
        if expected.refusal is not None:
            wanted = self._outcome(expected.refusal, None)
        options = self._options(align=align, policy=policy, within=within)
        text = f"allocate_many({count}, {self._show(size)}{options})"
        self._observe(text, wanted, operate, expected.after)
        return expected

    def available(
        self,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> None:
        """Compare what `available` answers with what the model would grant; nothing changes.

        A refusal that depends on the state is the answer `None`; a request that makes no
        sense is refused by both.
        """
        would = attempt(self.model, self._allocation(None, size, align, policy, within))

        def ask() -> str:
            found = self.allocator.available(size, align=align, policy=policy, within=within)
            return self._show(found)

        if would.refusal in (INVALID_SIZE, INVALID_ALIGNMENT):
            wanted = self._outcome(would.refusal, None)
        else:
            wanted = "None" if would.granted is None else self._outcome(None, would.granted.start)
        options = self._options(align=align, policy=policy, within=within)
        self._observe(f"available({self._show(size)}{options})", wanted, ask)

    def lookup(self, resource: R) -> None:
        """Compare what both find live at `resource`; nothing changes."""
        point = Range(int(resource), int(resource))
        found = self.model.live.lowest(lambda live: overlaps(live, point) and not self._holds(live))

        def ask() -> str:
            live = self.allocator.lookup(resource)
            return "None" if live is None else show_all([Range(int(live.start), int(live.end))])

        wanted = "None" if found is None else show_all([found])
        self._observe(f"lookup({self._show(resource)})", wanted, ask)

    def free(self, resource: R, size: S) -> Outcome[Allocator]:
        """`free` on both. Raises `DisagreementError`; a refusal is an outcome."""
        return self._both(
            f"free({self._show(resource)}, {self._show(size)})",
            lambda: self.allocator.free(resource, size),
            self._unless_held(
                lambda: self.model.free(int(resource), int(size)), int(resource), int(size)
            ),
        )

    def update(
        self,
        old_resource: R | None,
        old_size: S | None,
        new_resource: R,
        new_size: S,
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> Outcome[Allocator]:
        """`update` on both. Raises `DisagreementError`; a refusal is an outcome."""
        request = self._request(new_size, align, within)
        start = int(new_resource)

        def act() -> Step[Allocator]:
            if old_resource is None or old_size is None:
                return self.model.allocate_exact(request, start)
            old, units = int(old_resource), int(old_size)
            return self._unless_held(
                lambda: self.model.update(old, units, request, start), old, units
            )()

        shown = ", ".join(map(self._show, (old_resource, old_size, new_resource, new_size)))
        return self._both(
            f"update({shown}{self._options(align=align, within=within)})",
            lambda: self.allocator.update(
                old_resource, old_size, new_resource, new_size, align=align, within=within
            ),
            act,
        )

    def update_many(
        self,
        changes: Sequence[tuple[RangeInclusive[R] | None, RangeInclusive[R] | None]],
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> Outcome[Allocator]:
        """`update_many` on both. Raises `DisagreementError`; a refusal is an outcome."""
        old, new = (
            [Range(int(one.start), int(one.end)) for one in side if one is not None]
            for side in ([change[0] for change in changes], [change[1] for change in changes])
        )
        granule = self.allocator.alignment if align is None else align
        window = self.allocator.space if within is None else within
        whole = Range(int(window.start), int(window.end))
        free = next((at for at, one in enumerate(old) if self._is_named(one)), len(old))

        def act() -> Step[Allocator]:
            if free < len(old):  # what comes before it in the list is refused before it
                self.model.update_many(old[:free], (), granule, whole)
                raise Refused(MOVE_PENDING)
            return self.model.update_many(old, new, granule, whole)

        expected = attempt(self.model, act)
        wanted = self._outcome(expected.refusal, None)

        def operate() -> str:
            self.allocator.update_many(changes, align=align, within=within)
            return self._outcome(None, None)

        options = self._options(align=align, within=within)
        self._observe(f"update_many({changes!r}{options})", wanted, operate, expected.after)
        return expected

    def begin_move(  # the arguments of `move`, for the model as they are
        self,
        old_resource: R,
        old_size: S,
        new_resource: R,
        new_size: S,
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
        owner: str | None = None,
    ) -> Outcome[Allocator]:
        """`move` on both. Raises `DisagreementError`; a refusal is an outcome."""
        request = self._request(new_size, align, within)
        units = int(old_size)
        old = Range(int(old_resource), int(old_resource) + units - 1)
        new = request.at(int(new_resource))

        def act() -> Step[Allocator]:
            self.model.update(old.start, units, request, new.start)  # refused for its reasons
            return self.model.begin_move(old, new, request.align, request.window)

        expected = attempt(self.model, self._unless_held(act, old.start, units))
        if expected.refusal is None:
            self.pending = (*self.pending, (old, new, request.align))

        def operate() -> str:
            self.allocator.move(
                old_resource,
                old_size,
                new_resource,
                new_size,
                align=align,
                within=within,
                owner=owner,
            )
            return self._outcome(None, None)

        ends: tuple[R | S, ...] = (old_resource, old_size, new_resource, new_size)
        shown = ", ".join(map(self._show, ends))
        options = self._options(align=align, within=within, owner=owner)
        wanted = self._outcome(expected.refusal, None)
        self._observe(f"move({shown}{options})", wanted, operate, expected.after)
        return expected

    def end_move(self, number: int, end: Literal["commit", "abort"]) -> None:
        """End one of the pending moves on both, if there are any. Raises `DisagreementError`."""
        if not self.pending:
            return
        number %= len(self.pending)
        old, new, align = self.pending[number]
        before = self.model
        expected = attempt(
            before,
            lambda: (
                before.commit_move(old, new, align)
                if end == "commit"
                else before.abort_move(old, new)
            ),
        )
        self.pending = (*self.pending[:number], *self.pending[number + 1 :])

        def operate() -> str:
            move = list(self.allocator.moves())[number]
            getattr(move, end)()
            return self._outcome(None, None)

        wanted = self._outcome(expected.refusal, None)
        text = f"list({self.name}.moves())[{number}].{end}()"
        self._observe(text, wanted, operate, expected.after, of="")

    def fork(self, name: str) -> Self:
        """Return a copy of the allocator beside its oracle; the two share one trace.

        Raises `DisagreementError` unless the copy equals the original, both ways.
        """
        twin = copy(self)
        twin.allocator = self.allocator.copy()
        twin.name = name
        self.calls.append(Call(f"{name} = {self.name}.copy()", "done", "done"))
        if self.allocator != twin.allocator or twin.allocator != self.allocator:
            self._disagree(f"{name} is not equal to {self.name}")
        twin.compare()
        return twin

    def _allocation(
        self,
        resource: R | None,
        size: S,
        align: int | None,
        policy: Policy[R] | None,
        within: RangeInclusive[R] | None,
    ) -> Callable[[], Step[Allocator]]:
        """Return the model's action that stands for this call of `allocate`."""
        request = self._request(size, align, within)
        start = policy.start if isinstance(policy, ExactMatch) else resource

        def act() -> Step[Allocator]:
            if start is not None:
                return self.model.allocate_exact(request, int(start))
            if policy is LastMatch:
                return self.model.allocate_last(request)
            return self.model.allocate_first(request)

        return act
