"""Looking ahead: hours beyond the auction and the weather report, and work that has not arrived yet.

Pure functions of arrays and tables, the same answer for the same input. What was measured about them is in
``docs/forecast.md``; ``python -m benchmarks.forecasts`` measures it again.
"""

from energy.forecast.arrivals import expected_arrivals
from energy.forecast.evaluation import LeadErrors, errors, same_hour_last_week
from energy.forecast.prices import Forecast, shape
from energy.forecast.weather import weather_ahead

__all__ = ["Forecast", "LeadErrors", "errors", "expected_arrivals", "same_hour_last_week", "shape", "weather_ahead"]
