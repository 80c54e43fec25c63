//! Options of the commands that list or select backups.

use super::Moment;
use super::parse;
use chrono::{DateTime, TimeDelta, Utc};
use clap::{ArgAction, Args};
use etcd_cat::finding::Code;
use etcd_cat::selection::{Scope, Selection, TargetVersion};

/// Which backups are meant.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct SelectionArgs {
    /// Only backups that can restore exactly this OpenShift version, such as 4.17.3
    #[arg(
        long,
        env = "ETCD_CAT_VALID_FOR",
        value_name = "VERSION",
        hide_env = true
    )]
    pub(crate) valid_for: Option<TargetVersion>,

    #[command(flatten)]
    pub(crate) scope: ScopeArgs,

    /// Also show what is usually left out
    ///
    /// Without --valid-for: kuberesources without a snapshot and backups whose files are gone. With it: the
    /// backups that do not qualify, with the reason against each.
    #[arg(short, long, env = "ETCD_CAT_ALL", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) all: bool,
}

/// Which cluster and which time.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct ScopeArgs {
    /// Only backups of this cluster: the beginning of its id, or its infrastructure name with or without the random suffix
    #[arg(
        long,
        env = "ETCD_CAT_CLUSTER",
        value_name = "ID|NAME",
        hide_env = true
    )]
    pub(crate) cluster: Option<String>,

    /// Only backups taken since then: 2026-11-02T03:00:00Z, 2026-11-02, or 7d for seven days ago
    #[arg(long, env = "ETCD_CAT_SINCE", value_name = "TIME", hide_env = true)]
    pub(crate) since: Option<Moment>,

    /// Only backups at most this old: 90m, 26h, 7d
    #[arg(long, env = "ETCD_CAT_MAX_AGE", value_name = "DURATION", value_parser = parse::duration, hide_env = true)]
    pub(crate) max_age: Option<TimeDelta>,

    /// Recommend a backup without a risk, such as a rollout under way, unless it is this much older [default: 24h]
    #[arg(long, env = "ETCD_CAT_PREFER_CLEAN", value_name = "DURATION", value_parser = parse::duration, hide_env = true)]
    pub(crate) prefer_clean: Option<TimeDelta>,
}

impl SelectionArgs {
    /// The selection, seen from `now`.
    pub(crate) fn selection(&self, now: DateTime<Utc>) -> Selection {
        Selection {
            valid_for: self.valid_for.clone(),
            scope: if self.all { Scope::All } else { Scope::Usual },
            ..self.scope.selection(now)
        }
    }
}

impl ScopeArgs {
    /// The selection, seen from `now`.
    pub(crate) fn selection(&self, now: DateTime<Utc>) -> Selection {
        Selection {
            cluster: self.cluster.clone(),
            since: self.since.map(|since| since.instant(now)),
            max_age: self.max_age,
            prefer_clean: self.prefer_clean,
            ..Selection::default()
        }
    }
}

/// Findings that do not count this time.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct AcceptArgs {
    /// Do not let this finding make a backup invalid; repeatable, and the output says so
    #[arg(long = "accept", env = "ETCD_CAT_ACCEPT", value_name = "CODE", value_delimiter = ',', value_parser = parse::code, hide_env = true)]
    pub(crate) codes: Vec<Code>,
}
