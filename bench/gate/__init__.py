"""Calibration of the gate: worlds whose narrow share is known, judged through the core, and what each rule decides."""
