"""`bucketeer`: S3 buckets, on this machine or at an endpoint that the operator names."""

from homeport.addons.buckets.foreign import Foreign
from homeport.addons.buckets.provider import Bucket, Buckets, Facts

__all__ = ["Bucket", "Buckets", "Facts", "Foreign"]
