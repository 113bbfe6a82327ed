"""Fleet, jobs, tariffs, state and series from files into frozen objects and Datasets."""
