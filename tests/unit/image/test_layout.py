import importlib.util
import sys
from itertools import pairwise
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "image"
MIB = 1024**2


@pytest.fixture(scope="module")
def layout():
    """The module, which is a script and not in a package."""
    spec = importlib.util.spec_from_file_location("image_layout", FOLDER / "layout.py")
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its own module up while it is made.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def shipped(layout):
    return layout.parse((FOLDER / "layout.toml").read_text())


def wishes(layout, *partitions, alignment=4 * MIB, card=100 * MIB):
    return layout.Layout("dos", alignment, card, partitions)


def part(layout, name, size, **more):
    return layout.Partition(name, "ext4", None if size is None else size * MIB, **more)


def test_the_card_has_boot_two_systems_and_data(layout, shipped):
    names = [placed.name for placed in layout.place(shipped)]
    assert names == ["boot", "root-a", "root-b", "data"]


def test_both_systems_are_of_one_size_so_that_an_update_fits_either(layout, shipped):
    by_name = {placed.name: placed for placed in layout.place(shipped)}
    assert by_name["root-a"].size == by_name["root-b"].size


def test_the_plan_fits_a_card_sold_as_4_gb_and_wastes_nothing(layout, shipped):
    placed = layout.place(shipped)
    assert placed[-1].end <= 4_000_000_000
    assert placed[-1].end > shipped.smallest_card - shipped.alignment
    assert placed[0].start == shipped.alignment
    assert all(a.end == b.start for a, b in pairwise(placed))


@pytest.mark.parametrize("gigabytes", [4, 8, 16, 32, 64, 128])
def test_data_takes_the_rest_of_a_larger_card_and_nothing_else_moves(layout, shipped, gigabytes):
    small, large = layout.place(shipped), layout.place(shipped, gigabytes * 10**9)
    assert large[:3] == small[:3]
    assert 0 <= gigabytes * 10**9 - large[3].end < shipped.alignment


def test_a_card_that_is_too_small_is_refused_with_the_figures(layout, shipped):
    with pytest.raises(
        layout.LayoutError, match=r"data: 124 MiB are left of 3200 MiB, at least 256"
    ):
        layout.place(shipped, 3200 * MIB)
    with pytest.raises(layout.LayoutError, match=r"data: .* are left"):
        layout.place(shipped, 100 * MIB)


def test_sizes_that_are_too_large_together_are_refused(layout):
    plan = wishes(layout, part(layout, "a", 60), part(layout, "b", 60))
    with pytest.raises(layout.LayoutError, match="b: it ends at 124 MiB, the card at 100 MiB"):
        layout.place(plan)


def test_partitions_that_overlap_are_refused_whatever_their_order(layout):
    low = part(layout, "low", 20, start=20 * MIB)
    high = part(layout, "high", 20, start=36 * MIB)
    for plan in ((low, high), (high, low)):
        with pytest.raises(layout.LayoutError, match="low and high overlap at 36 MiB"):
            layout.place(wishes(layout, *plan))


def test_partitions_may_touch(layout):
    plan = wishes(
        layout, part(layout, "a", 20, start=4 * MIB), part(layout, "b", 20, start=24 * MIB)
    )
    assert [placed.end // MIB for placed in layout.place(plan)] == [24, 44]


@pytest.mark.parametrize(
    ("partitions", "complaint"),
    [
        ([], "0 partitions; an MBR has one to 4"),
        ([("a", 4)] * 5, "5 partitions"),
        ([("a", 4), ("a", 4)], "a: two partitions have this name"),
        ([("a", None), ("b", 4)], "only the last partition can take the rest"),
        ([("a", 5)], "a: start 4 MiB and size 5 MiB are not multiples of 4 MiB"),
    ],
)
def test_an_impossible_table_is_refused(layout, partitions, complaint):
    plan = wishes(layout, *(part(layout, name, size) for name, size in partitions))
    with pytest.raises(layout.LayoutError, match=complaint):
        layout.place(plan)


def test_nothing_lies_on_the_partition_table(layout):
    with pytest.raises(layout.LayoutError, match="begins on the partition table"):
        layout.place(wishes(layout, part(layout, "a", 4, start=0)))


def test_an_mbr_ends_at_two_tebibytes(layout):
    plan = wishes(layout, part(layout, "a", None), card=3 * 1024**4)
    with pytest.raises(layout.LayoutError, match="an MBR ends at"):
        layout.place(plan)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"dos"', '"gpt"', "disk.label: 'gpt' is not 'dos'"),
        ('"4 MiB"', '"4 MB"', "disk.alignment: '4 MB' is not a size like"),
        ('"256 MiB"', '"0 MiB"', "boot.size: '0 MiB' is not a size like"),
        ('"vfat"', '"ntfs"', "boot.filesystem: 'ntfs' is not one of vfat, ext4"),
        ('name = "boot"', "", "partition: one has no name"),
        ('minimum = "256', 'minimun = "256', "data: there is no key 'minimun'"),
    ],
)
def test_a_mistake_in_the_file_is_named(layout, old, new, complaint):
    text = (FOLDER / "layout.toml").read_text().replace(old, new, 1)
    with pytest.raises(layout.LayoutError, match=complaint):
        layout.parse(text)


def test_the_script_prints_what_sfdisk_reads(layout, shipped, capsys):
    assert layout.main([]) == 0
    script = capsys.readouterr().out
    assert script.splitlines()[:4] == [
        "label: dos",
        "unit: sectors",
        "",
        "start=8192, size=524288, type=c, bootable",
    ]
    assert script == layout.sfdisk_script(shipped, layout.place(shipped))


def test_the_script_says_what_is_wrong(layout, tmp_path, capsys):
    path = tmp_path / "layout.toml"
    path.write_text("[disk]\n")
    assert layout.main([str(path)]) == 1
    assert capsys.readouterr().err == f"{path}: disk.label: None is not 'dos'\n"


def test_the_readme_tells_the_sizes_that_are_planned(layout, shipped):
    readme = (FOLDER / "README.md").read_text()
    for placed in layout.place(shipped)[:3]:
        assert f"| {placed.name} | {placed.size // MIB} MiB" in readme
