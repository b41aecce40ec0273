"""Config vars: their encryption at rest and their rules."""

from homeport.config.variables import describe, merge
from homeport.config.vault import Vault, vault

__all__ = ["Vault", "describe", "merge", "vault"]
