"""Claims and their model, operated together: the first difference is an error."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Generic, Self, cast

from spec.claims import NOBODY, NOTHING, WAITS, number_of, owner_of
from spec.claims import Claims as Model
from spec.moves import Moving

from .claims import Claims, O
from .lockstep import DisagreementError, Lockstep
from .modelling import Outcome, Range, attempt
from .resource import R, S
from .snapshots.errors import SnapshotStateError
from .snapshots.text import dump_snapshot, load_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .claims import Granted
    from .modelling import Step
    from .ranges import RangeInclusive


class ClaimsLockstep(Lockstep[R, S], Generic[O, R, S]):
    """Claims, and the allocator below them, together with their oracle.

    What `Lockstep` does to an allocator is what others do to this one, past the claims.
    """

    def __init__(self, claims: Claims[O, R, S], name: str = "claims") -> None:
        self.claims = claims
        self._numbers: dict[O | None, int] = {None: NOBODY}
        self._owners: list[O] = []
        super().__init__(claims.allocator, name)

    def __post_init__(self) -> None:
        space = self.allocator.space
        top = self.allocator._unit.top
        self.state = Moving(Model.initial(top, int(space.start), int(space.end)))
        self._setup = f"{self.name} = {self.claims!r}"
        self._empty = self.allocator._index.copy()
        self.compare()

    @property
    def model(self) -> Model:
        """The state of the oracle: the allocator below, whose its ranges are, and who waits."""
        return cast("Model", self.state.allocator)

    def claim(
        self,
        owner: O,
        resource: R,
        size: S,
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> Outcome[Model]:
        """`claim` on both. Raises `DisagreementError`; a refusal is an outcome."""
        request, number = self._request(size, align, within), self._number(owner)
        return self._grants(
            f"claim({owner!r}, {self._show(resource)}, {self._show(size)}"
            f"{self._options(align=align, within=within)})",
            lambda: self.claims.claim(owner, resource, size, align=align, within=within),
            lambda: self.model.claim(number, request, int(resource)),
        )

    def release(self, owner: O) -> Outcome[Model]:
        """`release` on both. Raises `DisagreementError`; a refusal is an outcome."""
        number = self._number(owner)
        return self._grants(
            f"release({owner!r})",
            lambda: self.claims.release(owner),
            lambda: self.model.release(number),
        )

    def settle(self) -> Outcome[Model]:
        """`settle` on both. Raises `DisagreementError`; it is never refused."""
        return self._grants("settle()", self.claims.settle, self.model.settle)

    def granted(self, outcome: Outcome[Model]) -> list[tuple[O, Range]]:
        """Return what an operation granted, to whom, in order: nothing if it was refused."""
        if outcome.refusal is not None:
            return []
        claims: Iterable[Range] = outcome.after.granted  # type: ignore[assignment]  # the oracle's sets are finite
        return [
            (self._owner(owner_of(claim)), outcome.after.wanted(owner_of(claim)))
            for claim in claims
        ]

    def waits(self, owner: O) -> bool:
        """Whether the owner has a claim that waits."""
        return self.model.has.at(self._number(owner)) == WAITS

    def has_owners(self) -> bool:
        """Whether some owner holds a range, or waits for one."""
        everybody = range(NOBODY + 1, NOBODY + 1 + len(self._owners))
        return any(self.model.has.at(number) != NOTHING for number in everybody)

    def unclaimed(self) -> list[Range]:
        """Return the live ranges that no owner holds."""
        live: Iterable[Range] = self.model.live  # type: ignore[assignment]  # the oracle's sets are finite
        return [r for r in live if self.model.holder.at(r.start) == NOBODY]

    def fork(self, name: str) -> Self:
        """Return a copy of the claims beside their oracle; the two share one trace."""
        twin = super().fork(name)
        twin.claims = self.claims.copy()
        twin.allocator = twin.claims.allocator
        twin._numbers, twin._owners = dict(self._numbers), list(self._owners)
        twin.compare()
        return twin

    def through_a_snapshot(self) -> None:
        """Go on with what is restored of the text of what is saved. Raises `DisagreementError`.

        What an owner holds may have been freed or moved past its claim: that is not saved.
        """
        index, live = self._empty, set(self.allocator)
        wanted = "done" if all(one.range in live for one in self.claims) else "refused"

        def operate() -> str:
            try:
                text = dump_snapshot(self.claims.save())
            except SnapshotStateError:
                return "refused"
            kind = type(self.claims)
            restored = kind.restore(load_snapshot(text), index=lambda *_: index.copy())
            if restored.allocator != self.allocator or dump_snapshot(restored.save()) != text:
                return "something else"
            self.claims, self.allocator = restored, restored.allocator
            return "done"

        self._observe(f"{self.name} = restored {self.name}", wanted, operate, of="")

    # ---- the comparison

    def compare(self) -> None:
        """Raise `DisagreementError` unless live ranges, owners and waiting claims agree."""
        super().compare()
        try:
            held = [(grant.owner, _plain(grant.range)) for grant in self.claims]
            waiting = [(owner, _plain(r)) for owner, r in self.claims.waiting()]
            self.claims._check()
        except DisagreementError:
            raise
        except Exception as error:  # noqa: BLE001  # a state that cannot even be read
            self._disagree(f"the state of {self.name} cannot be read: {error!r}")
        live: Iterable[Range] = self.model.live  # type: ignore[assignment]  # the oracle's sets are finite
        wanted = [
            (self._owner(whose), r)
            for r in live
            if (whose := self.model.holder.at(r.start)) != NOBODY
        ]
        self._compare_claims("holdings", sorted(held, key=lambda one: one[1]), wanted)
        queue: Iterable[Range] = self.model.waiting  # type: ignore[assignment]  # likewise
        expected = [
            (self._owner(owner_of(claim)), self.model.wanted(owner_of(claim)))
            for claim in sorted(queue, key=number_of)
        ]
        self._compare_claims("claims that wait", waiting, expected)

    def _compare_claims(
        self, what: str, actual: list[tuple[O, Range]], wanted: list[tuple[O, Range]]
    ) -> None:
        if actual != wanted:
            self._disagree(
                f"expected the {what} of {self.name} to be {self._named(wanted)}, "
                f"got {self._named(actual)}"
            )

    def _grants(
        self, text: str, real: Callable[[], list[Granted[O, R]]], act: Callable[[], Step[Model]]
    ) -> Outcome[Model]:
        expected = attempt(self.model, act)
        if expected.refusal is None:
            wanted = self._named(self.granted(expected))
        else:
            wanted = self._outcome(expected.refusal, None)

        def operate() -> str:
            return self._named([(grant.owner, _plain(grant.range)) for grant in real()])

        self._observe(text, wanted, operate, replace(self.state, allocator=expected.after))
        return expected

    # ---- words

    def _number(self, owner: O) -> int:
        if owner not in self._numbers:
            self._owners.append(owner)
            self._numbers[owner] = NOBODY + len(self._owners)
        return self._numbers[owner]

    def _owner(self, number: int) -> O:
        return self._owners[number - NOBODY - 1]

    def _named(self, claims: list[tuple[O, Range]]) -> str:
        shown = self.allocator._unit.show_range
        return ", ".join(f"{owner}: {shown(*r)}" for owner, r in claims) or "nothing granted"


def _plain(r: RangeInclusive[R]) -> Range:
    return Range(int(r.start), int(r.end))
