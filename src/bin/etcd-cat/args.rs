//! The command line: every command, every option, and what each accepts.
//!
//! Every option can also be given as `ETCD_CAT_<OPTION>`; the command line wins.

mod buckets;
mod fleet;
mod inside;
mod operands;
mod parse;
mod selection;

pub(crate) use buckets::BucketArgs;
pub(crate) use fleet::{
    FleetArgs, FleetCommand, FleetMergeArgs, FleetPlanArgs, FleetWorkArgs, ShardArg,
};
pub(crate) use inside::{DiffArgs, GetArgs, HistoryArgs, InsideArgs, LsArgs};
pub(crate) use operands::{
    BackupArgs, CheckArgs, ClustersArgs, CompleteArgs, CompletionsArgs, ExplainArgs, ForgetArgs,
    IndexArgs, ListArgs, LocationsArgs, ManArgs, MetricsArgs, ReportArgs, ShowArgs, StageArgs,
    VerifyArgs,
};
pub(crate) use parse::{InstantArg, Moment, Topic};
pub(crate) use selection::{AcceptArgs, SelectionArgs};

use crate::output::Format;
use crate::output::nagios::Thresholds;
use chrono::TimeDelta;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use etcd_cat::restore::Disaster;
use etcd_cat::survey::Decrypt;
use std::path::PathBuf;

const ABOUT: &str = "Verify, pair and catalogue OpenShift etcd backups";

const LONG_ABOUT: &str = "\
Verify, pair and catalogue OpenShift etcd backups

Reads snapshots (*.db) and static_kuberesources archives wherever they lie, proves every byte of them, joins \
the two halves of each backup by their content, and says which OpenShift version each can restore. No backup \
file is ever changed.";

const AFTER_HELP: &str = "\
Examples:
  etcd-cat verify /mnt/usb                      prove everything there; needs no set-up
  etcd-cat check --valid-for 4.17.3 /mnt/usb    which backup restores this, and how?
  etcd-cat index /backup                        remember what is there
  etcd-cat list --valid-for 4.17.3 -o name      only what can restore 4.17.3, by name
  etcd-cat backup --to /backup                  take a new one through oc
  etcd-cat explain digest-mismatch              what a finding means, and what to do

Exit codes:
  0  done, and the answer is good: everything selected is usable, or at least one backup qualifies
  1  done, and the answer is bad: something selected is invalid, or nothing qualifies
  2  not done: wrong usage, unreadable input, catalogue locked or damaged, oc failed
  0-3  under --nagios: OK, WARNING, CRITICAL, UNKNOWN
  130, 143  interrupted; nothing half-written is left behind

Every option has an environment variable, such as ETCD_CAT_OUTPUT=json for --output json.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "etcd-cat",
    version,
    about = ABOUT,
    long_about = LONG_ABOUT,
    after_help = AFTER_HELP,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 110
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read new and changed files and remember them
    Index(IndexArgs),
    /// Read every byte again and prove it
    Verify(VerifyArgs),
    /// Show what is in the catalogue, newest first
    List(ListArgs),
    /// Show how each cluster stands: its version, its newest usable backup, what is missing
    Clusters(ClustersArgs),
    /// Show everything known about one backup
    Show(ShowArgs),
    /// Say whether a backup will restore this version, which one, and how
    Check(CheckArgs),
    /// Copy one verified pair into an empty directory, ready for cluster-restore.sh
    Stage(StageArgs),
    /// List what is in a backup: its kinds, or the objects of one
    Ls(LsArgs),
    /// Print objects of a backup as YAML or JSON, secret data masked
    Get(GetArgs),
    /// Tell what came, went and changed between two backups
    Diff(DiffArgs),
    /// List every version of one object that a backup still holds
    History(HistoryArgs),
    /// Take a new backup through oc, bring it here and verify it
    Backup(BackupArgs),
    /// Drop records from the catalogue; files are never touched
    Forget(ForgetArgs),
    /// Show what is searched for backups, and how it stands
    Locations(LocationsArgs),
    /// Tell validity and age of the backups to Prometheus
    Metrics(MetricsArgs),
    /// Write one page of the whole catalogue for a browser
    Report(ReportArgs),
    /// Split a proof of many backups over many machines
    Fleet(FleetArgs),
    /// Explain a finding and what to do about it
    Explain(ExplainArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print what may stand next on a command line
    #[command(hide = true)]
    Complete(CompleteArgs),
    /// Print the manual page
    Man(ManArgs),
}

impl Command {
    /// True for commands that leave nothing half-done but their answer: they may end at any moment.
    pub(crate) fn only_reads(&self) -> bool {
        match self {
            Self::Backup(_) | Self::Stage(_) | Self::Report(_) | Self::Fleet(_) => false,
            Self::Metrics(args) => args.to.is_none(),
            _ => true,
        }
    }
}

impl Command {
    /// True when the answer is to be one line for Nagios, whatever comes of it.
    pub(crate) fn is_for_nagios(&self) -> bool {
        match self {
            Self::Check(args) => args.nagios.nagios,
            Self::Clusters(args) => args.nagios.nagios,
            _ => false,
        }
    }
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Print the answer in this form
    #[arg(
        short,
        long,
        global = true,
        env = "ETCD_CAT_OUTPUT",
        value_name = "FORM",
        default_value = "table",
        hide_env = true
    )]
    pub(crate) output: Format,

    /// Keep the catalogue here: PATH, redb:PATH or sled:PATH
    ///
    /// Default: $XDG_DATA_HOME/etcd-cat/catalogue.redb, for root /var/lib/etcd-cat/catalogue.redb
    #[arg(
        long,
        global = true,
        env = "ETCD_CAT_CATALOGUE",
        value_name = "PATH",
        hide_env = true
    )]
    pub(crate) catalogue: Option<String>,

    /// Neither read nor write a catalogue
    #[arg(long, global = true, env = "ETCD_CAT_NO_CATALOGUE", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) no_catalogue: bool,

    /// Colour the verdicts; NO_COLOR is respected
    #[arg(
        long,
        global = true,
        env = "ETCD_CAT_COLOR",
        value_name = "WHEN",
        default_value = "auto",
        hide_env = true
    )]
    pub(crate) color: Color,

    /// Show no progress bars
    #[arg(long, global = true, env = "ETCD_CAT_NO_PROGRESS", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) no_progress: bool,

    /// Print only the answer and errors: no progress, hints or notes
    #[arg(short, long, global = true, env = "ETCD_CAT_QUIET", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) quiet: bool,

    /// Show all details: every finding with its evidence, and whole histories
    ///
    /// Changes only what people read (table, wide); documents have all of it always.
    #[arg(short, long, global = true, env = "ETCD_CAT_VERBOSE", action = ArgAction::Count, hide_env = true)]
    pub(crate) verbose: u8,

    /// Never call oc, nor any store over the network; what cannot be done without fails
    #[arg(long, global = true, env = "ETCD_CAT_OFFLINE", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) offline: bool,

    /// Read this many files at once; 1 keeps to one processor [default: two for each processor]
    #[arg(
        long,
        global = true,
        env = "ETCD_CAT_JOBS",
        value_name = "N",
        hide_env = true
    )]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,

    /// Judge age, certificates and "now" as of this instant (RFC 3339) [default: now]
    #[arg(
        long,
        global = true,
        env = "ETCD_CAT_AS_OF",
        value_name = "TIME",
        hide_env = true
    )]
    pub(crate) as_of: Option<InstantArg>,

    /// Do not leave the files that were read in the page cache
    #[arg(long, global = true, hide = true, env = "ETCD_CAT_DROP_CACHE", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) drop_cache: bool,

    #[command(flatten)]
    pub(crate) buckets: BucketArgs,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How many encrypted values keys are tried on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Decryption {
    /// A few of each resource and key
    Sample,
    /// Every live one; reads encrypted snapshots twice
    All,
}

impl From<Decryption> for Decrypt {
    fn from(decryption: Decryption) -> Self {
        match decryption {
            Decryption::Sample => Self::Sample,
            Decryption::All => Self::All,
        }
    }
}

/// How much is decrypted.
#[derive(Clone, Debug, Args)]
pub(crate) struct DecryptArgs {
    /// Try the keys on this many of the encrypted values
    #[arg(
        long,
        env = "ETCD_CAT_DECRYPT",
        value_name = "WHAT",
        default_value = "sample",
        hide_env = true
    )]
    pub(crate) decrypt: Decryption,
}

/// What of the control plane is gone.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Disaster")]
pub(crate) struct DisasterArgs {
    /// Restore on this control-plane host, by name or address [default: one that lives]
    #[arg(
        long,
        env = "ETCD_CAT_RECOVERY_HOST",
        value_name = "HOST",
        hide_env = true
    )]
    pub(crate) recovery_host: Option<String>,

    /// This control-plane host will not come back; repeatable
    #[arg(
        long,
        env = "ETCD_CAT_LOST",
        value_name = "HOST",
        value_delimiter = ',',
        hide_env = true
    )]
    pub(crate) lost: Vec<String>,
}

impl DisasterArgs {
    /// The same in the words of the library.
    pub(crate) fn disaster(&self) -> Disaster {
        Disaster {
            recovery_host: self.recovery_host.clone(),
            lost: self.lost.clone(),
        }
    }
}

/// Answers for Nagios, Icinga and their like.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Nagios")]
pub(crate) struct NagiosArgs {
    /// Print one line with numbers for Nagios; ends with 0 (OK), 1 (WARNING), 2 (CRITICAL) or 3 (UNKNOWN)
    #[arg(long, env = "ETCD_CAT_NAGIOS", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) nagios: bool,

    /// With --nagios: warn when the newest usable backup is older
    #[arg(long, env = "ETCD_CAT_WARNING", value_name = "DURATION", default_value = "26h", value_parser = parse::duration, hide_env = true)]
    pub(crate) warning: TimeDelta,

    /// With --nagios: critical when it is older
    #[arg(long, env = "ETCD_CAT_CRITICAL", value_name = "DURATION", default_value = "50h", value_parser = parse::duration, hide_env = true)]
    pub(crate) critical: TimeDelta,
}

impl NagiosArgs {
    /// The same for the line; `None` where none is wanted.
    pub(crate) fn thresholds(&self) -> Option<Thresholds> {
        self.nagios.then_some(Thresholds {
            warning: self.warning,
            critical: self.critical,
        })
    }
}

/// How to reach the cluster.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Cluster options")]
pub(crate) struct OcArgs {
    /// Run this oc [default: oc from PATH]
    #[arg(long, env = "ETCD_CAT_OC", value_name = "PATH", hide_env = true)]
    pub(crate) oc: Option<PathBuf>,

    /// Use this kubeconfig [default: as oc does]
    #[arg(
        long,
        env = "ETCD_CAT_KUBECONFIG",
        value_name = "PATH",
        hide_env = true
    )]
    pub(crate) kubeconfig: Option<PathBuf>,

    /// Use this context of the kubeconfig [default: the current one]
    #[arg(long, env = "ETCD_CAT_CONTEXT", value_name = "NAME", hide_env = true)]
    pub(crate) context: Option<String>,
}

#[cfg(test)]
mod tests;
