"""An allocator and the model, operated together: the first difference is an error.

This is what the state machines and `replay` drive. Every operation is carried out on
both; they must grant the same start or refuse for the same reason, and afterwards have
the same live ranges and the same gaps.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Literal, Self

from spec.model import INVALID_ALIGNMENT, INVALID_SIZE, Allocator

from .comparison import Beside, Call, DisagreementError, show_all
from .modelling import Outcome, Range, attempt
from .policy import ExactMatch, LastMatch, Policy
from .resource import R, S
from .snapshots.text import dump_snapshot, load_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spec.moves import Moving

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
        prefer: int | None = None,
        owner: str | None = None,
    ) -> Outcome[Allocator]:
        """`allocate` on both. Raises `DisagreementError`; a refusal is an outcome."""
        options = self._options(
            align=align, policy=policy, within=within, prefer=prefer, owner=owner
        )
        return self._granted(
            f"allocate({self._show(resource)}, {self._show(size)}{options})",
            lambda: self.allocator.allocate(
                resource,
                size,
                align=align,
                policy=policy,
                within=within,
                prefer=prefer,
                owner=owner,
            ),
            self._allocation(resource, size, align, policy, within, prefer),
            int(size),
            owner,
        )

    def allocate_many(
        self,
        count: int,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
        owner: str | None = None,
    ) -> Outcome[Allocator]:
        """`allocate_many` on both. Raises `DisagreementError`; a refusal is an outcome."""
        request = self._request(size, align, within)

        def act(model: Allocator) -> Step[Allocator]:
            many = model.allocate_many_last if policy is LastMatch else model.allocate_many_first
            return many(count, request)

        expected = attempt(self.model, lambda: act(self.model))

        def operate() -> str:
            granted = self.allocator.allocate_many(
                count, size, align=align, policy=policy, within=within, owner=owner
            )
            return ", ".join(self._show(start) for start in granted)

        wanted, after = self._outcome(expected.refusal, None), self.state
        if expected.refusal is None:
            wanted = ", ".join(map(self.allocator._unit.show, expected.starts))  # noqa: SLF001  # hex
            after = self.state.grant(act, int(size), owner)[0]
        options = self._options(align=align, policy=policy, within=within, owner=owner)
        text = f"allocate_many({count}, {self._show(size)}{options})"
        self._observe(text, wanted, operate, after)
        return expected

    def available(
        self,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
        prefer: int | None = None,
    ) -> None:
        """Compare what `available` answers with what the model would grant; nothing changes.

        A refusal that depends on the state is the answer `None`; a request that makes no
        sense is refused by both.
        """
        act = self._allocation(None, size, align, policy, within, prefer)
        would = attempt(self.model, lambda: act(self.model))

        def ask() -> str:
            found = self.allocator.available(
                size, align=align, policy=policy, within=within, prefer=prefer
            )
            return self._show(found)

        if would.refusal in (INVALID_SIZE, INVALID_ALIGNMENT):
            wanted = self._outcome(would.refusal, None)
        else:
            wanted = "None" if would.granted is None else self._outcome(None, would.granted.start)
        options = self._options(align=align, policy=policy, within=within, prefer=prefer)
        self._observe(f"available({self._show(size)}{options})", wanted, ask)

    def lookup(self, resource: R) -> None:
        """Compare what both find live at `resource`; nothing changes."""
        at = int(resource)
        found = next((live for live in self.state.live() if live.start <= at <= live.end), None)

        def ask() -> str:
            live = self.allocator.lookup(resource)
            return "None" if live is None else show_all([Range(int(live.start), int(live.end))])

        wanted = "None" if found is None else show_all([found])
        self._observe(f"lookup({self._show(resource)})", wanted, ask)

    def free(self, resource: R, size: S) -> Outcome[Allocator]:
        """`free` on both. Raises `DisagreementError`; a refusal is an outcome."""
        return self._changed(
            f"free({self._show(resource)}, {self._show(size)})",
            lambda: self.allocator.free(resource, size),
            lambda: self.state.free(int(resource), int(size)),
        )

    def reserve(self, resource: R, size: S, owner: str) -> Outcome[Allocator]:
        """`reserve` on both. Raises `DisagreementError`; a refusal is an outcome."""
        return self._changed(
            f"reserve({self._show(resource)}, {self._show(size)}, {owner=})",
            lambda: self.allocator.reserve(resource, size, owner=owner),
            lambda: self.state.reserve(int(resource), int(size), owner),
        )

    def unreserve(self, resource: R, size: S) -> Outcome[Allocator]:
        """`unreserve` on both. Raises `DisagreementError`; a refusal is an outcome."""
        return self._changed(
            f"unreserve({self._show(resource)}, {self._show(size)})",
            lambda: self.allocator.unreserve(resource, size),
            lambda: self.state.unreserve(int(resource), int(size)),
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
        owner: str | None = None,
    ) -> Outcome[Allocator]:
        """`update` on both. Raises `DisagreementError`; a refusal is an outcome."""
        request = self._request(new_size, align, within)
        start = int(new_resource)

        def act() -> Moving:
            if old_resource is None or old_size is None:
                return self.state.grant(
                    lambda model: model.allocate_exact(request, start), request.size, owner
                )[0]
            return self.state.update(int(old_resource), int(old_size), request, start, owner)

        shown = ", ".join(map(self._show, (old_resource, old_size, new_resource, new_size)))
        return self._changed(
            f"update({shown}{self._options(align=align, within=within, owner=owner)})",
            lambda: self.allocator.update(
                old_resource,
                old_size,
                new_resource,
                new_size,
                align=align,
                within=within,
                owner=owner,
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
        granule = self.allocator.alignment if align is None else align
        window = self.allocator.space if within is None else within
        plain = [(_range(old), _range(new)) for old, new in changes]
        return self._changed(
            f"update_many({changes!r}{self._options(align=align, within=within)})",
            lambda: self.allocator.update_many(changes, align=align, within=within),
            lambda: self.state.update_many(
                plain, granule, Range(int(window.start), int(window.end))
            ),
        )

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
        old = Range(int(old_resource), int(old_resource) + int(old_size) - 1)
        ends: tuple[R | S, ...] = (old_resource, old_size, new_resource, new_size)
        shown = ", ".join(map(self._show, ends))
        return self._changed(
            f"move({shown}{self._options(align=align, within=within, owner=owner)})",
            lambda: self.allocator.move(
                old_resource,
                old_size,
                new_resource,
                new_size,
                align=align,
                within=within,
                owner=owner,
            ),
            lambda: self.state.begin(old, request, int(new_resource), owner),
        )

    def end_move(self, number: int, end: Literal["commit", "abort"]) -> None:
        """End one of the pending moves on both, if there are any. Raises `DisagreementError`."""
        moves = self.state.moves
        if not moves:
            return
        number %= len(moves)
        old = moves[number].old
        after = self.state.commit(old) if end == "commit" else self.state.abort(old)

        def operate() -> str:
            move = list(self.allocator.moves())[number]
            getattr(move, end)()
            return self._outcome(None, None)

        text = f"list({self.name}.moves())[{number}].{end}()"
        self._observe(text, self._outcome(None, None), operate, after, of="")

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

    def through_a_snapshot(self) -> None:
        """Go on with what is restored of the text of what is saved. Raises `DisagreementError`.

        What ends moves from here on ends those of the restored one.
        """
        index = self._empty

        def operate() -> str:
            text = dump_snapshot(self.allocator.save())
            kind = type(self.allocator)
            restored = kind.restore(load_snapshot(text), index=lambda *_: index.copy())
            if restored != self.allocator or dump_snapshot(restored.save()) != text:
                return "something else"
            self.allocator = restored
            return self._outcome(None, None)

        text = f"{self.name} = {type(self.allocator).__name__}.restore({self.name}.save())"
        self._observe(text, self._outcome(None, None), operate, of="")

    def _allocation(  # noqa: PLR0917  # the arguments of `allocate`, as they were passed
        self,
        resource: R | None,
        size: S,
        align: int | None,
        policy: Policy[R] | None,
        within: RangeInclusive[R] | None,
        prefer: int | None = None,
    ) -> Callable[[Allocator], Step[Allocator]]:
        """Return the model's action that stands for this call of `allocate`."""
        request = self._request(size, align, within)
        start = policy.start if isinstance(policy, ExactMatch) else resource

        def act(model: Allocator) -> Step[Allocator]:
            if start is not None:
                return model.allocate_exact(request, int(start))
            if prefer is not None:
                return model.allocate_preferred(prefer, request, last=policy is LastMatch)
            return (model.allocate_last if policy is LastMatch else model.allocate_first)(request)

        return act


def _range(one: RangeInclusive[R] | None) -> Range | None:
    return None if one is None else Range(int(one.start), int(one.end))
