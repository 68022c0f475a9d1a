"""The figures: their numbers are those of the tables, their files are pictures."""

from __future__ import annotations

import pytest

from chinchilla_xl.cli import cli
from chinchilla_xl.figures import compute_ratios, cost_ratios, figure_1
from paper import TABLE_2, TABLE_3, agrees, printed


@pytest.mark.parametrize("row", TABLE_2, ids=lambda row: row.params)
def test_figure_2_goes_through_table_2(row):
    ratios = compute_ratios(printed(row.tokens), printed(row.params))
    assert agrees(1 - ratios.total, row.saved)
    assert ratios.params == pytest.approx(printed(row.opt_params) / printed(row.params), rel=5e-3)
    assert ratios.tokens == pytest.approx(
        printed(row.opt_training) / printed(row.training), rel=5e-3
    )


@pytest.mark.parametrize("row", TABLE_3, ids=lambda row: row.params)
def test_figure_6_goes_through_table_3(row):
    ratios = cost_ratios(printed(row.tokens), printed(row.params))
    assert agrees(1 - ratios.total, row.saved)
    assert ratios.params == pytest.approx(printed(row.opt_params) / printed(row.params), rel=5e-3)


def test_figure_1_crosses_where_both_models_have_cost_the_same():
    lines = figure_1().axes[1].lines
    demand, large = lines[0].get_data()
    small = lines[1].get_data()[1]
    even = lines[2].get_xdata()[0]
    assert demand[0] < even < demand[-1]
    assert ((large < small) == (demand < even)).all()


def test_every_figure_is_drawn_as_a_picture_with_titles_and_axes(tmp_path):
    with pytest.raises(SystemExit) as done:
        cli.main(["figures", str(tmp_path / "new")], standalone_mode=True)
    assert done.value.code == 0
    for name in ("figure-1.png", "figure-2.png", "figure-6.png"):
        assert (tmp_path / "new" / name).read_bytes().startswith(b"\x89PNG")
    for axes in figure_1().axes:
        assert axes.get_title()
        assert axes.get_xlabel()
        assert axes.get_ylabel()
