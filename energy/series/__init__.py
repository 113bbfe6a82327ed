"""Series over time, one place for each verb; files, fetches and nights use the same functions.

read       `files.read_series`: a table without a meaning; `read.read_price`, `read_carbon`, `read_weather`: checked, whole
cut        `vintage.as_known`, `published_before`, `rates_known`: to what was known at a moment
resample   `resample.on_grid`, `even`, `held`, `complete`, `to_horizon`: onto other steps
fill       `gap_filling.fill` with rules: `interpolate`, `earlier_day`, `hold_last`, `forecast`
label      `labels.dataset`, `join`: quality and source of every interval
check      `quality_control`: findings about fetched series, errors about files
"""
