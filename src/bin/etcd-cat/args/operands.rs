//! What each command takes besides the global options.

use super::selection::ScopeArgs;
use super::{
    AcceptArgs, DecryptArgs, DisasterArgs, Moment, NagiosArgs, OcArgs, SelectionArgs, Topic, parse,
};
use chrono::TimeDelta;
use clap::{ArgAction, Args};
use etcd_cat::discovery::Shard;
use etcd_cat::oc::{ReasonCode, Window, parse_forced};
use etcd_cat::selection::TargetVersion;
use etcd_cat::source::ObjectId;
use std::path::PathBuf;

/// `etcd-cat index`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  etcd-cat index /backup /mnt/keys     read both places, and remember them as locations
  etcd-cat index                       read the remembered locations again: only what is new or changed")]
pub(crate) struct IndexArgs {
    /// Directories (walked) or files; without one, the remembered locations
    #[arg(value_name = "LOCATION")]
    pub(crate) locations: Vec<ObjectId>,

    /// Make the catalogue anew from the files at the remembered locations, with what can be saved of its history; the
    /// one before is kept beside it
    #[arg(
        long,
        conflicts_with = "no_catalogue",
        env = "ETCD_CAT_REBUILD",
        action = ArgAction::SetTrue,
        value_parser = parse::switch,
        hide_env = true
    )]
    pub(crate) rebuild: bool,

    #[command(flatten)]
    pub(crate) decrypt: DecryptArgs,
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    /// Only this part of what lies there, counted from 0: 0/8 to 7/8. Both halves of a backup are in one part
    #[arg(long, env = "ETCD_CAT_SHARD", value_name = "I/N", value_parser = super::fleet::shard, hide_env = true)]
    pub(crate) shard: Option<Shard>,

    #[command(flatten)]
    pub(crate) accept: AcceptArgs,
}

/// `etcd-cat verify`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  etcd-cat verify /mnt/usb                              on a machine that has never seen etcd-cat
  etcd-cat verify latest                                the newest backup in the catalogue
  etcd-cat verify /backup --deep                        open every encrypted value, not only a few
  etcd-cat verify /backup --valid-for 4.17.3 -o json    the whole question in one go
  ssh node cat snapshot.db | etcd-cat verify -          a snapshot that lies elsewhere, plain or packed
  etcd-cat verify                                       everything at the remembered locations")]
pub(crate) struct VerifyArgs {
    /// Backups (id, latest, latest-valid), files or directories, or - for standard input; without one, the remembered
    /// locations
    #[arg(value_name = "BACKUP|PATH")]
    pub(crate) operands: Vec<String>,

    /// Prove all that can be proven, however long it takes: --decrypt all
    #[arg(long, env = "ETCD_CAT_DEEP", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) deep: bool,

    #[command(flatten)]
    pub(crate) decrypt: DecryptArgs,
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    /// Only this part of what lies there, counted from 0: 0/8 to 7/8. Both halves of a backup are in one part
    #[arg(long, env = "ETCD_CAT_SHARD", value_name = "I/N", value_parser = super::fleet::shard, hide_env = true)]
    pub(crate) shard: Option<Shard>,

    #[command(flatten)]
    pub(crate) accept: AcceptArgs,
}

/// `etcd-cat list`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Exits with 1 when something shown is invalid, when filters leave nothing, or when nothing qualifies.

Examples:
  etcd-cat list                                 every backup with its verdict
  etcd-cat list --valid-for 4.17.3              only what can restore 4.17.3; * is what check recommends
  etcd-cat list --valid-for 4.17.3 --all        the others too, with the reason against each
  etcd-cat list --cluster prod --max-age 26h    is there a backup of last night?")]
pub(crate) struct ListArgs {
    /// Only backups that the catalogue has seen first since then: 1d, 2026-11-02
    #[arg(
        long,
        env = "ETCD_CAT_FIRST_SEEN",
        value_name = "TIME",
        hide_env = true
    )]
    pub(crate) first_seen: Option<Moment>,

    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    #[command(flatten)]
    pub(crate) accept: AcceptArgs,
}

/// `etcd-cat show`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  etcd-cat show 3f9c
  etcd-cat show latest -o json
  etcd-cat show latest-valid --cluster prod
  etcd-cat show latest-valid --as-of 2026-12-24T00:00:00Z    what will have expired by then")]
pub(crate) struct ShowArgs {
    /// Beginning of the id (4 digits or more), latest, latest-valid, or the path of a file in the catalogue
    pub(crate) backup: String,

    /// Only among backups of this cluster: the beginning of its id, or its infrastructure name with or without the random
    /// suffix
    #[arg(
        long,
        env = "ETCD_CAT_CLUSTER",
        value_name = "ID|NAME",
        hide_env = true
    )]
    pub(crate) cluster: Option<String>,

    #[command(flatten)]
    pub(crate) accept: AcceptArgs,
}

/// `etcd-cat check`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Without LOCATION it judges what the catalogue holds; with one, it reads every byte there first.

Examples:
  etcd-cat check --valid-for 4.17.3
  etcd-cat check --valid-for 4.17.3 --cluster prod --max-age 7d
  etcd-cat check --valid-for 4.17.3 /mnt/usb          no catalogue needed
  etcd-cat check --valid-for 4.17.3 --diff            and what is lost, by kind and namespace
  etcd-cat check --valid-for 4.17.3 --lost master-1 --lost master-2    two of three control-plane hosts are gone
  etcd-cat check --from-cluster                       ask the running cluster for its version and id
  etcd-cat check --valid-for 4.17.3 --nagios          one line for Nagios, with age, size and number")]
pub(crate) struct CheckArgs {
    /// Directories or files to read first [default: what the catalogue holds]
    #[arg(value_name = "LOCATION")]
    pub(crate) locations: Vec<ObjectId>,

    /// The exact OpenShift version to restore, such as 4.17.3; without it, the known ones are told
    #[arg(
        long,
        env = "ETCD_CAT_VALID_FOR",
        value_name = "VERSION",
        hide_env = true
    )]
    pub(crate) valid_for: Option<TargetVersion>,

    /// Ask the cluster for what is not given: its version and id
    #[arg(long, env = "ETCD_CAT_FROM_CLUSTER", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) from_cluster: bool,

    /// Tell what is lost against the newest backup of the cluster by kind and namespace; reads both
    #[arg(long, conflicts_with = "nagios", env = "ETCD_CAT_DIFF", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) diff: bool,

    #[command(flatten)]
    pub(crate) nagios: NagiosArgs,
    #[command(flatten)]
    pub(crate) disaster: DisasterArgs,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    #[command(flatten)]
    pub(crate) accept: AcceptArgs,
    #[command(flatten)]
    pub(crate) oc: OcArgs,
}

/// `etcd-cat stage`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Both halves are verified while they are copied; the names are those that cluster-restore.sh looks for.

Examples:
  etcd-cat stage latest-valid --to restore
  etcd-cat stage 3f9c --to restore /mnt/usb --no-catalogue    without a catalogue")]
pub(crate) struct StageArgs {
    /// Beginning of the id (4 digits or more), latest, latest-valid, or the path of a file in the catalogue
    pub(crate) backup: String,

    /// Directories or files to read first [default: what the catalogue holds]
    #[arg(value_name = "LOCATION")]
    pub(crate) locations: Vec<ObjectId>,

    /// Copy into this directory; it is made if absent, and must be empty
    #[arg(long, env = "ETCD_CAT_TO", value_name = "DIR", hide_env = true)]
    pub(crate) to: PathBuf,

    #[command(flatten)]
    pub(crate) disaster: DisasterArgs,
    #[command(flatten)]
    pub(crate) accept: AcceptArgs,
}

/// `etcd-cat backup`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  etcd-cat backup --to /backup                                    from a control-plane node that is ready
  etcd-cat backup --to /backup --keys-to /keys                    keep the encryption keys apart
  etcd-cat backup --to s3://backups/prod --keys-to az://keys      in buckets, read back and verified
  etcd-cat backup --to /backup --also s3://backups/prod           and a second copy elsewhere
  etcd-cat backup --to /backup --dry-run                          show what would be run
  etcd-cat backup --to /backup --if-older-than 24h --not-during 08:00-18:00    for cron
  etcd-cat backup --resume --node NODE --to /backup               bring in what a broken run left on the node
  etcd-cat backup --clean                                         remove what broken runs left on all nodes
  etcd-cat backup --from-policy --to /backup                      bring in the newest that the cluster's own policy took")]
pub(crate) struct BackupArgs {
    /// Take it on this control-plane node [default: one that is ready]
    #[arg(long, env = "ETCD_CAT_NODE", value_name = "NODE", hide_env = true)]
    pub(crate) node: Option<String>,

    /// Store the backup in this directory, or below this prefix of a bucket: s3://backups/prod
    #[arg(
        long,
        env = "ETCD_CAT_TO",
        value_name = "LOCATION",
        required_unless_present = "clean",
        hide_env = true
    )]
    pub(crate) to: Option<ObjectId>,

    /// Take no new backup: bring in the newest one that a run which broke off left here on its way to a bucket, or on the node
    #[arg(long, env = "ETCD_CAT_RESUME", action = ArgAction::SetTrue, value_parser = parse::switch, conflicts_with_all = ["clean", "if_older_than", "if_version_changed"], hide_env = true)]
    pub(crate) resume: bool,

    /// Take no new backup: bring in the newest that the cluster's own automated backups left on a node, and leave it there
    #[arg(long, env = "ETCD_CAT_FROM_POLICY", action = ArgAction::SetTrue, value_parser = parse::switch, conflicts_with_all = ["resume", "clean", "keep_on_node"], hide_env = true)]
    pub(crate) from_policy: bool,

    /// Take no backup: remove what runs that broke off over an hour ago left, on all control-plane nodes or on --node
    #[arg(long, env = "ETCD_CAT_CLEAN", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) clean: bool,

    /// Store the kuberesources, which holds the encryption keys, in this directory or bucket [default: beside the snapshot]
    #[arg(
        long,
        env = "ETCD_CAT_KEYS_TO",
        value_name = "LOCATION",
        hide_env = true
    )]
    pub(crate) keys_to: Option<ObjectId>,

    /// Store both halves in this directory or bucket as well; repeatable. Each succeeds or fails on its own
    #[arg(long, env = "ETCD_CAT_ALSO", value_name = "LOCATION", hide_env = true)]
    pub(crate) also: Vec<ObjectId>,

    /// Keep a backup in this directory until it is proven to lie in a bucket [default: beside the default catalogue]
    #[arg(
        long,
        env = "ETCD_CAT_WORK_DIRECTORY",
        value_name = "DIR",
        hide_env = true
    )]
    pub(crate) work_directory: Option<PathBuf>,

    /// Print what would be run, and run nothing that changes anything
    #[arg(long, env = "ETCD_CAT_DRY_RUN", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) dry_run: bool,

    /// Go on in spite of this reason not to, such as rollout-in-progress; repeatable
    #[arg(long, env = "ETCD_CAT_FORCE", value_name = "CODE", value_delimiter = ',', value_parser = parse_forced, hide_env = true)]
    pub(crate) force: Vec<ReasonCode>,

    /// Start no backup in these hours: 08:00-18:00 (UTC; append +02:00 or local); repeatable
    #[arg(
        long,
        env = "ETCD_CAT_NOT_DURING",
        value_name = "HH:MM-HH:MM",
        value_delimiter = ',',
        hide_env = true
    )]
    pub(crate) not_during: Vec<Window>,

    /// Run the debug pod in this namespace, which enforces pod security "privileged" [default: one made and removed]
    #[arg(
        long,
        env = "ETCD_CAT_DEBUG_NAMESPACE",
        value_name = "NAMESPACE",
        hide_env = true
    )]
    pub(crate) debug_namespace: Option<String>,

    /// Make the temporary directory on the node inside this one [default: /home/core]
    #[arg(
        long,
        env = "ETCD_CAT_HOST_DIRECTORY",
        value_name = "DIR",
        hide_env = true
    )]
    pub(crate) host_directory: Option<String>,

    /// Keep the lock of the cluster in this directory [default: beside the default catalogue]
    #[arg(
        long,
        env = "ETCD_CAT_LOCK_DIRECTORY",
        value_name = "DIR",
        hide_env = true
    )]
    pub(crate) lock_directory: Option<PathBuf>,

    /// Leave the files on the node as well
    #[arg(long, env = "ETCD_CAT_KEEP_ON_NODE", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) keep_on_node: bool,

    /// Go on trying for so long while the API server does not answer; before anything is begun for a minute at most [default: 15m]
    #[arg(long, env = "ETCD_CAT_PATIENCE", value_name = "DURATION", value_parser = parse::duration, hide_env = true)]
    pub(crate) patience: Option<TimeDelta>,

    /// Do nothing when a valid backup of this cluster is younger than this: 24h
    #[arg(long, env = "ETCD_CAT_IF_OLDER_THAN", value_name = "DURATION", value_parser = parse::duration, hide_env = true)]
    pub(crate) if_older_than: Option<TimeDelta>,

    /// Do nothing when there is a valid backup of the version that the cluster has now
    #[arg(long, env = "ETCD_CAT_IF_VERSION_CHANGED", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) if_version_changed: bool,

    #[command(flatten)]
    pub(crate) oc: OcArgs,
}

/// `etcd-cat forget`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  etcd-cat forget 3f9c1a2b
  etcd-cat forget --missing            everything that somebody else has pruned
  etcd-cat forget $(etcd-cat list --all --since 2020-01-01 -o name)")]
pub(crate) struct ForgetArgs {
    /// Beginnings of ids (4 digits or more), or paths
    #[arg(value_name = "BACKUP", required_unless_present = "missing")]
    pub(crate) backups: Vec<String>,

    /// Every backup whose files were removed; where nothing at all is left, as when a mount is lost, records stay
    #[arg(long, conflicts_with = "backups", env = "ETCD_CAT_MISSING", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) missing: bool,

    /// Print what would be dropped, and drop nothing
    #[arg(long, env = "ETCD_CAT_DRY_RUN", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) dry_run: bool,
}

/// `etcd-cat clusters`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Exits with 1 when a cluster has no backup for its version, or, with --max-age, one that is too old.

Without --max-age the rhythm of the backups decides what is overdue, and that alone is no bad answer.

Examples:
  etcd-cat clusters
  etcd-cat clusters --max-age 26h      for a check every morning
  etcd-cat clusters --from-cluster     is there a backup for the version that runs now?
  etcd-cat clusters --nagios           one line for Nagios; --warning 26h --critical 50h are usual")]
pub(crate) struct ClustersArgs {
    /// Only this cluster: the beginning of its id, or its infrastructure name with or without the random suffix
    #[arg(
        long,
        env = "ETCD_CAT_CLUSTER",
        value_name = "ID|NAME",
        hide_env = true
    )]
    pub(crate) cluster: Option<String>,

    /// The newest usable backup may be this old: 26h, 7d
    #[arg(long, env = "ETCD_CAT_MAX_AGE", value_name = "DURATION", value_parser = parse::duration, hide_env = true)]
    pub(crate) max_age: Option<TimeDelta>,

    /// Ask the running cluster for the version that it has now
    #[arg(long, env = "ETCD_CAT_FROM_CLUSTER", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) from_cluster: bool,

    #[command(flatten)]
    pub(crate) nagios: NagiosArgs,
    #[command(flatten)]
    pub(crate) accept: AcceptArgs,
    #[command(flatten)]
    pub(crate) oc: OcArgs,
}

/// `etcd-cat metrics`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Without --to and --listen the text is printed. It tells nothing of a single backup: some series for each cluster and
OpenShift version, and what came of the last index, verify and backup.

Examples:
  etcd-cat metrics --to /var/lib/node_exporter/textfile_collector/etcd-cat.prom    after each verify
  etcd-cat metrics --listen 127.0.0.1:9464                                        GET /metrics
  etcd-cat metrics --listen 0.0.0.0:9464 --from-cluster                           in a pod, for a ServiceMonitor")]
pub(crate) struct MetricsArgs {
    /// Write it to this file, whole or not at all; only a file that etcd-cat wrote is replaced
    #[arg(long, env = "ETCD_CAT_TO", value_name = "FILE", hide_env = true)]
    pub(crate) to: Option<PathBuf>,

    /// Answer GET /metrics here, without end: HOST:PORT, or PORT for this machine alone
    #[arg(long, env = "ETCD_CAT_LISTEN", value_name = "ADDRESS", conflicts_with = "to", value_parser = parse::listen, hide_env = true)]
    pub(crate) listen: Option<String>,

    /// Ask the running cluster for the version that it has now
    #[arg(long, env = "ETCD_CAT_FROM_CLUSTER", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) from_cluster: bool,

    #[command(flatten)]
    pub(crate) accept: AcceptArgs,
    #[command(flatten)]
    pub(crate) oc: OcArgs,
}

/// `etcd-cat report`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
The page loads nothing and needs no server: it can be sent, kept and printed. With scripts it filters and sorts.

Examples:
  etcd-cat report --to backups.html
  etcd-cat report --to prod.html --cluster prod --max-age 26h")]
pub(crate) struct ReportArgs {
    /// Write it to this file, whole or not at all; only a page that etcd-cat wrote is replaced
    #[arg(long, env = "ETCD_CAT_TO", value_name = "FILE", hide_env = true)]
    pub(crate) to: PathBuf,

    /// Only this cluster: the beginning of its id, or its infrastructure name with or without the random suffix
    #[arg(
        long,
        env = "ETCD_CAT_CLUSTER",
        value_name = "ID|NAME",
        hide_env = true
    )]
    pub(crate) cluster: Option<String>,

    /// The newest usable backup of a cluster may be this old: 26h, 7d [default: its rhythm]
    #[arg(long, env = "ETCD_CAT_MAX_AGE", value_name = "DURATION", value_parser = parse::duration, hide_env = true)]
    pub(crate) max_age: Option<TimeDelta>,

    #[command(flatten)]
    pub(crate) accept: AcceptArgs,
}

/// `etcd-cat locations`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Exits with 1 when a location is not there, or nothing of what is known in it.

Examples:
  etcd-cat locations                    what is searched, and how it stands
  etcd-cat locations --drop /mnt/old    search it no more; what is known of its backups stays known")]
pub(crate) struct LocationsArgs {
    /// Search this location no more; repeatable
    #[arg(long, env = "ETCD_CAT_DROP", value_name = "LOCATION", hide_env = true)]
    pub(crate) drop: Vec<ObjectId>,
}

/// `etcd-cat explain`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  etcd-cat explain                      all findings, one line each
  etcd-cat explain digest-mismatch")]
pub(crate) struct ExplainArgs {
    /// Code of a finding, of a reason against a backup, or of a reason of `backup` not to start; without one, all are
    /// listed
    #[arg(value_parser = parse::topic)]
    pub(crate) code: Option<Topic>,
}

/// `etcd-cat completions`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  etcd-cat completions bash > /etc/bash_completion.d/etcd-cat
  etcd-cat completions zsh > \"${fpath[1]}/_etcd-cat\"
  source <(etcd-cat completions bash)")]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// `etcd-cat complete`
#[derive(Clone, Debug, Args)]
pub(crate) struct CompleteArgs {
    /// The words after the program's name up to the one that is being typed, which may be empty
    #[arg(last = true, allow_hyphen_values = true)]
    pub(crate) words: Vec<String>,
}

/// `etcd-cat man`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  etcd-cat man > /usr/local/share/man/man1/etcd-cat.1
  etcd-cat man | man -l -")]
pub(crate) struct ManArgs {
    /// Page of this command [default: the whole program]
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
}
