"""The doctor: looks at an app's source folder and says what will go wrong on a dyno, before a push."""

from homeport.doctor.examination import Report, examine
from homeport.doctor.findings import Finding, Severity
from homeport.doctor.mending import Mended, mend
from homeport.doctor.registry import Check, all_checks, named

__all__ = ["Check", "Finding", "Mended", "Report", "Severity", "all_checks", "examine", "mend", "named"]
