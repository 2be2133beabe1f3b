"""What a pilot says of the corpus that is planned, and whether it would meet the configuration's expectations."""

from polyculture.pilot.report import Pilot, forecast_pilot

__all__ = ["Pilot", "forecast_pilot"]
