"""What all parts of a scenario have in common: strict, frozen, no unknown keys."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError


class Spec(BaseModel):
    """One part of a scenario. An attribute that carries a unit has it in its name; the file's key does not."""

    # Built when a file is read: processes that get a scenario ready-made, such as frontends, start sooner.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


MOST_SEED = 2**64 - 1
"""The largest seed of a run."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:-]*$", max_length=64)]
"""A node's, model's or scenario's name."""


def wrong(key: str, *texts: str) -> PydanticCustomError:
    """Return an error that a validator raises about one key of its model, once for each text."""
    return PydanticCustomError("scenario", "{texts}", {"key": key, "texts": list(texts)})
