//! From what decides to the plan.

use super::input::{Plan, PlanInput};
use super::script::Script;
use super::{aftermath, steps, warnings};

/// Snapshot bytes lie three times on the recovery host: as staged, as the copy of the script, as the restored member.
const SNAPSHOT_COPIES: u64 = 3;
/// The script of two nodes restores once more on trial.
const SNAPSHOT_COPIES_TWO_NODES: u64 = 4;
/// Members of the archive are text and pack well; they lie packed and unpacked.
const KUBERESOURCES_COPIES: u64 = 16;
/// Two write-ahead log files, which etcd makes at full length.
const LOG_BYTES: u64 = 2 * 64 * 1024 * 1024;

/// Makes the plan for one backup.
pub(super) fn plan(input: &PlanInput<'_>) -> Plan {
    let script = Script::of(input.version, input.topology);
    let mut steps = Vec::new();
    if script.is_known() && (script == Script::TwoNodes || input.kuberesources_bytes.is_some()) {
        steps.extend(steps::before(input, script));
        steps.extend(steps::restore(input, script));
        steps.extend(aftermath::steps(input, script));
    }
    Plan {
        warnings: warnings::warnings(input, script),
        steps,
        space_needed_bytes: space_needed_bytes(input, script),
    }
}

fn space_needed_bytes(input: &PlanInput<'_>, script: Script) -> u64 {
    let copies = match script {
        Script::TwoNodes => SNAPSHOT_COPIES_TWO_NODES,
        _ => SNAPSHOT_COPIES,
    };
    let kuberesources = input.kuberesources_bytes.unwrap_or_default();
    let snapshots = input.snapshot_bytes.saturating_mul(copies);
    let resources = kuberesources.saturating_mul(KUBERESOURCES_COPIES);
    snapshots
        .saturating_add(resources)
        .saturating_add(LOG_BYTES)
}
