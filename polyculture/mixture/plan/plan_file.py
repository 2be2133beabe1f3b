"""Plan files: a planned mixture bound to the run that it was worked out from."""

from pathlib import Path

from pydantic import ValidationError

from polyculture.errors import ConfigError
from polyculture.mixture.plan.data_digest import manifest_data_sha256
from polyculture.mixture.plan.run_ledger import RunLedger
from polyculture.storage.files import write_text
from schemas.planned import PlanFile, PlannedMixture


def bind_plan(run: RunLedger, planned: PlannedMixture) -> PlanFile:
    """A plan with the digests of its evidence."""
    return PlanFile(
        run=run.manifest.name,
        manifest_sha256=run.manifest_sha256,
        data_sha256=manifest_data_sha256(run.manifest),
        ledger=list(run.files),
        planned=planned,
    )


def write_plan(path: Path, plan: PlanFile) -> None:
    """Write a plan file, whole or not at all."""
    write_text(path, plan.model_dump_json(indent=1) + "\n")


def read_plan(path: Path, run: RunLedger) -> PlanFile:
    """Read a plan file for the run that it was made from.

    Raises:
        ConfigError: it cannot be read, is none, or was worked out from other evidence.
    """
    try:
        plan = PlanFile.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ConfigError(f"{path}: not a plan file: {str(error).splitlines()[0]}") from error
    if plan.manifest_sha256 != run.manifest_sha256 or plan.ledger != list(run.files):
        raise ConfigError(
            f"{path}: worked out from another run or another state of it (manifest {plan.manifest_sha256[:12]}, "
            f"here {run.manifest_sha256[:12]}); make it again with `polyculture plan`"
        )
    return plan
