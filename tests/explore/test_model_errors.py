"""What is wrong with a model is told in one line, with file and line, and the right exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.explore.support import HEAD, run

if TYPE_CHECKING:
    from pathlib import Path

SOUND = """\
class Power(Enum):
    OFF = 0
    ON = 1


@dataclass(frozen=True)
class Counter(vm.Model):
    used: int
    blocks: vm.RangeSet
    power: Power

    @classmethod
    def initial(cls):
        return cls(0, vm.FiniteRanges(), Power.OFF)

    @vm.invariant
    def bounded(self) -> bool:
        return 0 <= self.used <= 8

    @vm.action
    def take(self, amount: int):
        vm.require(amount > 0, "amount")
        vm.require(self.used + amount <= 8, "full")
        return replace(self, used=self.used + amount)
"""


class Bent(NamedTuple):
    old: str
    new: str
    at: str
    """What stands on the line that is told."""
    says: str
    code: int = 2


BENT = {
    "a typo in a variable": Bent(
        "self.used + amount <= 8",
        "self.usd + amount <= 8",
        "self.usd",
        "'usd': it has used, blocks",
    ),
    "a variable that replace does not know": Bent(
        "replace(self, used=", "replace(self, usd=", "usd=", "TypeError"
    ),
    "a guard that is a number": Bent(
        'vm.require(amount > 0, "amount")',
        'vm.require(amount, "amount")',
        "require(amount, ",
        "the guard 'amount' is not boolean, but a number",
    ),
    "a guard that is not called": Bent(
        'vm.require(amount > 0, "amount")',
        'vm.require(self.bounded, "amount")',
        "require(self.bounded",
        "the guard 'amount' is not boolean, but a method that is not called",
    ),
    "an invariant that is a number": Bent(
        "return 0 <= self.used <= 8", "return self.used", "def bounded", "'bounded' is not boolean"
    ),
    "an invariant with a parameter": Bent(
        "def bounded(self)", "def bounded(self, most: int)", "def bounded", "takes parameters"
    ),
    "an invariant that is false initially": Bent(
        "return 0 <= self.used <= 8",
        "return 1 <= self.used <= 8",
        "def bounded",
        "this invariant does not hold initially: bounded",
        1,
    ),
    "an init that breaks an invariant": Bent(
        "return cls(0, vm", "return cls(9, vm", "def bounded", "does not hold initially", 1
    ),
    "an init that refuses": Bent(
        "return cls(0,",
        'vm.require(False, "never")\n        return cls(0,',
        "def initial",
        "'initial' always refuses",
        1,
    ),
    "a guard that is always false": Bent(
        "self.used + amount <= 8",
        "self.used + amount < 0",
        "amount < 0",
        "the guard 'full' is false in every state: 'take' can never happen",
        1,
    ),
    "no init": Bent("def initial(cls)", "def begin(cls)", "class Counter", "classmethod `initial`"),
    "an action that returns nothing": Bent(
        "return replace(self, used=self.used + amount)",
        "replace(self, used=self.used + amount)",
        "def take",
        "'take' returns nothing: return the state after it",
    ),
    "an action that makes a variable something else": Bent(
        "used=self.used + amount)",
        "used=self.blocks)",
        "def take",
        "makes 'used' a RangeSet",
    ),
    "an enum that gets a number": Bent(
        "used=self.used + amount)", "power=1)", "def take", "makes 'power' a number"
    ),
    "a state that is changed": Bent(
        "return replace(self, used=self.used + amount)",
        "self.used = 3\n        return self",
        "self.used = 3",
        "a state is not changed: return replace(self, ...)",
    ),
    "a parameter without a type": Bent(
        "amount: int", "amount", "def take", "parameter 'amount' of 'take' has no annotation"
    ),
    "a parameter of a type of no use": Bent(
        "amount: int", "amount: float", "def take", "'amount' is of type float"
    ),
    "a parameter that is a set": Bent(
        "amount: int", "amount: vm.RangeSet", "def take", "is a set or a table"
    ),
    "a variable of a type of no use": Bent("used: int", "used: list[int]", "used:", "'used' is of"),
    "an annotation that nobody defines": Bent(
        "used: int", 'used: "Nmber"', "class Counter", "outside of TYPE_CHECKING"
    ),
    "no dataclass": Bent("@dataclass(frozen=True)", "", "class Counter", "no frozen dataclass"),
    "a dataclass that is not frozen": Bent("(frozen=True)", "", "@dataclass", "inherit non-frozen"),
    "no action": Bent("@vm.action", "", "class Counter", "has no action"),
    "no invariant": Bent("@vm.invariant", "", "class Counter", "has no invariant"),
    "a syntax error": Bent("def take(self", "def take(self))", "def take", "SyntaxError"),
    "a name that nobody defines": Bent("(Enum)", "(Enumm)", "Enumm", "NameError"),
    "a loop over a set": Bent(
        "return 0 <= self.used <= 8",
        "return all(block.start > 0 for block in self.blocks)",
        "in self.blocks)",
        "a set is no list and no truth: use all, any",
    ),
    "a set that is asked for its truth": Bent(
        'vm.require(amount > 0, "amount")',
        'vm.require(not self.blocks, "amount")',
        "not self.blocks",
        "a set is no list and no truth: use all, any",
    ),
    "a name that is made of a number": Bent(
        '"amount")', 'f"not {amount + self.used + self.used}")', 'f"not', "cannot follow this"
    ),
    "what cannot be followed": Bent(
        "amount > 0", "amount * amount > 0", "amount * amount", "explore cannot follow this"
    ),
    "a set of another kind": Bent(
        "used=self.used + amount)",
        "blocks=vm.FiniteTable())",
        "def take",
        "makes 'blocks' a FiniteTable",
    ),
    "a predicate that is not symmetric": Bent(
        "return 0 <= self.used <= 8",
        "return self.blocks.all_pairs(lambda a, b: a.start <= b.start)",
        "all_pairs(",
        "depends on the order of the two",
    ),
}


def test_the_model_that_is_bent_is_sound(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(HEAD + SOUND)
    done = run("model.py", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", BENT)
def test_a_model_error_is_told_at_its_line(name: str, tmp_path: Path) -> None:
    bent = BENT[name]
    assert SOUND.count(bent.old) == 1
    text = HEAD + SOUND.replace(bent.old, bent.new)
    (tmp_path / "model.py").write_text(text)
    done = run("model.py", "--depth", "3", cwd=tmp_path)
    said = [line for line in (done.stdout + done.stderr).splitlines() if bent.says in line]
    assert len(said) == 1, done.stdout + done.stderr
    assert done.returncode == bent.code
    assert "Traceback" not in done.stderr
    line = next(n for n, one in enumerate(text.splitlines(), start=1) if bent.at in one)
    assert said[0].startswith(f"model.py:{line}: ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "model.py: no model here"),
        ("raise ValueError('no')", "model.py:1: ValueError: no"),
        (HEAD + SOUND + SOUND.replace("Counter", "Other"), "several models here"),
    ],
)
def test_a_file_without_the_one_model(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(text)
    done = run("model.py", cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr.splitlines()[-1]


def test_one_of_several_models_is_named(tmp_path: Path) -> None:
    text = (
        HEAD + SOUND + SOUND.replace("Counter", "Other").replace("0 <= self.used", "1 <= self.used")
    )
    (tmp_path / "model.py").write_text(text)
    assert run("model.py:Counter", cwd=tmp_path).returncode == 0
    assert run("model.py:Other", cwd=tmp_path).returncode == 1
    done = run("model.py:Neither", cwd=tmp_path)
    assert (done.returncode, "there is: Power" in done.stderr) == (2, False)
    assert "no model 'Neither' here; there is: Counter, Other" in done.stderr


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    done = run("nowhere.py", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("nowhere.py: cannot be read")
