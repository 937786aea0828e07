"""Wrong `regression` blocks, as `bad_scenarios` has broken scenarios."""

from tests.scenario.good_scenario import good_but

KEYS = {
    "symptom": "One node takes everything.",
    "metric": "fairness.jain",
    "broken": "pinned",
    "repaired": "fixed",
    "source": "a bug report",
    "decided_by": "policy",
}


def regression(**changes: str) -> str:
    entries = ", ".join(f"{key}: {value}" for key, value in (KEYS | changes).items())
    return good_but("variants: {pinned: {}, fixed: {}}", f"regression: {{{entries}}}")


REGRESSIONS = {
    "unknown metric": (regression(metric="§fairnes.jain"), "did you mean 'fairness.jain'?"),
    "unknown broken variant": (
        regression(broken="§pined"),
        "regression.broken: 'pined' is not a variant; allowed: pinned, fixed; did you mean 'pinned'?",
    ),
    "unknown repaired variant": (regression(repaired="§mended"), "regression.repaired: 'mended' is not a variant"),
    "checked in an unknown variant": (regression(check_in="§fixd"), "regression.check_in: 'fixd' is not a variant"),
    "repaired by nothing": (regression(repaired="§pinned"), "the broken variant itself; allowed: another variant"),
    "decided by nobody": (regression(decided_by="§luck"), "regression.decided_by: found 'luck'; allowed: "),
    "no symptom": (regression(symptom="§''"), "regression.symptom: found ''; allowed: at least 1 characters"),
    "unknown key": (regression(**{"§fixed_by": "head"}), "regression.fixed_by: found an unknown key"),
}
