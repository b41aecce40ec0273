"""Config vars: their encryption at rest and their rules."""

from homeport.config.encryption import Vault, vault
from homeport.config.variables import describe, merge

__all__ = ["Vault", "describe", "merge", "vault"]
