//! What a live cluster says of itself, read-only, and what of it speaks against a backup now.
//!
//! [`live_target`] asks only which cluster it is. [`look()`](look::look) asks all that a backup depends on and judges
//! nothing; `preflight` judges what was seen and gives [`RefusalReason`]s. `policy` asks where the
//! cluster's own automated backups lie.

mod listing;
mod live;
pub(crate) mod look;
mod pod;
mod policy;
pub(crate) mod preflight;
mod proxy;
mod reason;
mod refusal;
mod rights;
mod stale;
mod types;
mod window;

pub(crate) use listing::{LiveObject, list, served};
pub use live::{LiveTarget, live_target};
pub(crate) use live::{live_target_within, live_version};
pub(crate) use look::LookError;
pub(crate) use pod::{PodPhase, pod_phase};
pub(crate) use policy::{is_plain, policy_places};
pub(crate) use proxy::Proxy;
pub(super) use reason::RefusalReason;
pub use reason::{ReasonCode, parse_forced};
pub(crate) use stale::{Stale, volume_pods};
pub use window::Window;
