"""hydrocool: where and when to run every training job so that power and cooling cost least."""

__version__ = "0.1.0"
