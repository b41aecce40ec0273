"""The libraries that are told about the app later, so that every module can import them."""

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from geoalchemy2 import alembic_helpers
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)
# PostGIS brings a table of its own (spatial_ref_sys), which migrations must leave alone.
migrate = Migrate(include_object=alembic_helpers.include_object)
csrf = CSRFProtect()
limiter = Limiter(key_func=get_remote_address)
