"""Forecasts from a pilot of the corpus that is planned, judged by the configuration's expectations."""

from polyculture.pilot.report import Pilot, forecast_pilot

__all__ = ["Pilot", "classical", "forecast_pilot", "pairs", "profile"]
