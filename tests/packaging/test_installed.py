"""The wheel at work, away from the checkout."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from .conftest import ROOT, run, succeed


@pytest.fixture(scope="session")
def core(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Core:
    spec = importlib.util.find_spec("sortedcontainers")
    assert spec is not None
    assert spec.origin is not None
    required = tmp_path_factory.mktemp("required")
    shutil.copytree(Path(spec.origin).parent, required / "sortedcontainers")
    return Core(site, required)


@dataclass(frozen=True)
class Core:
    """The wheel, together with what it always requires and nothing else."""

    site: Path
    required: Path

    def run(self, code: str) -> str:
        """Run a program with this, and return what it printed.

        -I and -S keep out the current directory, the environment and the site-packages,
        and with them the checkout that an editable installation puts on the path.
        """
        return succeed(self.command(code), self.site)

    def command(self, code: str, *options: str) -> list[str]:
        path = [str(self.site), str(self.required)]
        code = f"import sys; sys.path[:0] = {path!r}; {code}"
        return [sys.executable, "-I", "-S", *options, "-c", code]


@pytest.mark.parametrize("module", ["vm_allocator", "spec.model"])
def test_the_wheel_imports_from_where_it_is_installed(core: Core, module: str) -> None:
    code = f"import {module}; print(sys.modules[{module!r}].__file__)"
    found = Path(core.run(code).strip())
    assert found.is_relative_to(core.site)
    assert not found.is_relative_to(ROOT)


def test_the_checkout_is_what_imports_here() -> None:
    for module, home in (("vm_allocator", ROOT / "src"), ("spec.model", ROOT)):
        spec = importlib.util.find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        assert Path(spec.origin).is_relative_to(home)


def test_the_core_allocates_and_the_specification_runs_without_any_extra(core: Core) -> None:
    code = (
        "from vm_allocator import AddressAllocator; import spec.model as m; "
        "print(AddressAllocator(0x1000, 0x1000).allocate(None, 16), "
        "m.Allocator.initial(m.U64_MAX, 0, 9).gaps())"
    )
    assert core.run(code) == "4096 {0x0-0x9}\n"


def test_importing_the_core_imports_nothing_of_what_checks_it(core: Core) -> None:
    code = "import vm_allocator; print(*sys.modules)"
    loaded = core.run(code).split()
    assert "vm_allocator.address" in loaded
    checkers = ("spec", "vm_allocator.modelling", "vm_allocator.lockstep", "vm_allocator.symbolic")
    assert not [name for name in loaded if name.startswith(checkers)]


def test_importing_the_core_takes_less_than_30_ms_of_its_own_time(core: Core) -> None:
    command = core.command("import vm_allocator", "-X", "importtime")
    times = []
    for _ in range(5):  # the least of them is the import's own, the others are the machine's
        report = run(command, core.site).stderr
        ours = re.findall(
            r"^import time: +(\d+) \|.*\| +vm_allocator(?:\.|$)", report, re.MULTILINE
        )
        assert len(ours) > 1, report
        times.append(sum(map(int, ours)))
    assert min(times) < 30_000, times


CONSUMER = """\
from vm_allocator import AddressAllocator, GuestAddress, GuestUsize, Id, IdAllocator, IdCount

mmio = AddressAllocator(GuestAddress(0), GuestUsize(0x1000))
bar: GuestAddress = mmio.allocate(None, GuestUsize(16))
irq: Id = IdAllocator(Id(5), Id(23)).allocate(None, IdCount(1))
mmio.free(irq, GuestUsize(16))
mmio.free(bar, IdCount(1))
mmio.free(bar, bar)
"""


def test_a_type_checker_tells_the_resources_of_the_installed_wheel_apart(
    site: Path, tmp_path: Path
) -> None:
    (tmp_path / "consumer.py").write_text(CONSUMER)
    options = ["--strict", "--no-error-summary", "--cache-dir", str(tmp_path)]
    checked = run(
        [sys.executable, "-m", "mypy", *options, "consumer.py"], tmp_path, {"MYPYPATH": str(site)}
    )
    assert checked.stdout.splitlines() == [
        f'consumer.py:{line}: error: Argument {which} to "free" of "RangeAllocator" has '
        f'incompatible type "{found}"; expected "{wanted}"  [arg-type]'
        for line, which, found, wanted in (
            (6, 1, "Id", "GuestAddress"),
            (7, 2, "IdCount", "GuestUsize"),
            (8, 2, "GuestAddress", "GuestUsize"),
        )
    ], checked.stdout + checked.stderr
