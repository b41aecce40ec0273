"""`sentry`: where apps' errors are gathered into issues."""

from homeport.addons.errors.provider import Errors
from homeport.addons.errors.watch import Journal, Watch

__all__ = ["Errors", "Journal", "Watch"]
