"""Series: read, cut to what was known, resample, fill, label."""
