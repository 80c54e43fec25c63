//! What the commands take that look inside a backup.

use super::{OcArgs, parse};
use clap::{ArgAction, Args};
use etcd_cat::inspect::{Selector, Trust};
use etcd_cat::source::ObjectId;

/// How to open a backup.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Backup")]
pub(crate) struct InsideArgs {
    /// Look for the encryption keys in this directory or archive, too, or in this Secret of a hosted control plane (JSON);
    /// repeatable [default: beside the snapshot, and what the catalogue knows]
    #[arg(
        long,
        env = "ETCD_CAT_KEYS",
        value_name = "LOCATION",
        value_delimiter = ',',
        hide_env = true
    )]
    pub(crate) keys: Vec<ObjectId>,

    /// Show what can be read of a file that is not proven
    #[arg(long, env = "ETCD_CAT_UNVERIFIED", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) unverified: bool,
}

impl InsideArgs {
    /// The same in the words of the library.
    pub(crate) fn trust(&self) -> Trust {
        if self.unverified {
            Trust::Unverified
        } else {
            Trust::Proven
        }
    }
}

/// Which namespace.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Objects")]
pub(crate) struct NamespaceArgs {
    /// Only objects in this namespace [default: in any]
    #[arg(
        short,
        long,
        env = "ETCD_CAT_NAMESPACE",
        value_name = "NAMESPACE",
        hide_env = true
    )]
    pub(crate) namespace: Option<String>,

    /// Objects in every namespace, as without -n
    #[arg(short = 'A', long, conflicts_with = "namespace", env = "ETCD_CAT_ALL_NAMESPACES", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) all_namespaces: bool,

    /// Only objects with such labels: app=web, app!=web, app, !app, app in (web, db)
    #[arg(
        short = 'l',
        long,
        env = "ETCD_CAT_SELECTOR",
        value_name = "LABELS",
        hide_env = true
    )]
    pub(crate) selector: Option<Selector>,
}

/// `etcd-cat ls`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
BACKUP is the beginning of an id, latest, latest-valid, a snapshot's path, or a directory with one snapshot in it.
Every byte is proven while it is read; nothing is shown of a file that is not proven, unless --unverified is given.

Examples:
  etcd-cat ls latest                          every kind: how many objects, how large, changed when
  etcd-cat ls latest pods -n shop             is my namespace in it?
  etcd-cat ls snapshot.db deploy 'web-*'      by name
  etcd-cat ls latest secrets -l app=web       by label
  etcd-cat ls latest --size                   why is my etcd so large?")]
pub(crate) struct LsArgs {
    /// Beginning of an id, latest, latest-valid, or a path
    #[arg(value_name = "BACKUP")]
    pub(crate) backup: Option<String>,

    /// Plural, singular, short name or plural.group; without it, every kind is listed
    #[arg(value_name = "KIND")]
    pub(crate) kind: Option<String>,

    /// Only objects with names like this: web-*
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,

    /// List the hundred largest keys, and those written most often
    #[arg(long, conflicts_with_all = ["kind", "namespace", "selector"], env = "ETCD_CAT_SIZE", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) size: bool,

    #[command(flatten)]
    pub(crate) namespace: NamespaceArgs,
    #[command(flatten)]
    pub(crate) inside: InsideArgs,
}

/// `etcd-cat get`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Prints YAML unless -o json or -o name is given: one object for one NAME, otherwise a v1 List. Secret data is masked:
shown are its size, and which values are equal.

Examples:
  etcd-cat get latest deployment -n shop web
  etcd-cat get latest deployment -n shop web --clean | oc apply -f -      bring it back
  etcd-cat get latest secrets -n shop --show-secrets > secrets.yaml       never to a terminal
  etcd-cat get snapshot.db routes -A -o json
  etcd-cat get latest configmap -n shop settings --revision 31001         as it was then (see history)")]
pub(crate) struct GetArgs {
    /// Beginning of an id, latest, latest-valid, or a path
    #[arg(value_name = "BACKUP")]
    pub(crate) backup: String,

    /// Plural, singular, short name or plural.group; several with commas between them
    #[arg(value_name = "KIND")]
    pub(crate) kind: String,

    /// Names; without one, every object of the kind
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,

    /// Leave out managedFields, status, uid and the like: ready for oc apply
    #[arg(long, env = "ETCD_CAT_CLEAN", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) clean: bool,

    /// Print secret data as it is; only to a file or a pipe
    #[arg(long, env = "ETCD_CAT_SHOW_SECRETS", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) show_secrets: bool,

    /// As it was at this revision of etcd [default: the last one]
    #[arg(
        long,
        env = "ETCD_CAT_REVISION",
        value_name = "REVISION",
        hide_env = true
    )]
    pub(crate) revision: Option<i64>,

    #[command(flatten)]
    pub(crate) namespace: NamespaceArgs,
    #[command(flatten)]
    pub(crate) inside: InsideArgs,
}

/// `etcd-cat history`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
A snapshot holds every version since the last compaction, deletions among them.

Examples:
  etcd-cat history latest deployment -n shop web
  etcd-cat get latest deployment -n shop web --revision 31001     one of them")]
pub(crate) struct HistoryArgs {
    /// Beginning of an id, latest, latest-valid, or a path
    #[arg(value_name = "BACKUP")]
    pub(crate) backup: String,

    /// Plural, singular, short name or plural.group
    #[arg(value_name = "KIND")]
    pub(crate) kind: String,

    /// Its name
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// In this namespace [default: in any]
    #[arg(
        short,
        long,
        env = "ETCD_CAT_NAMESPACE",
        value_name = "NAMESPACE",
        hide_env = true
    )]
    pub(crate) namespace: Option<String>,

    #[command(flatten)]
    pub(crate) inside: InsideArgs,
}

/// `etcd-cat diff`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Both are read once; a secret is told to be another one, never what it is. With --live, oc is asked for names and
resourceVersions of the kinds that the backup has, and for nothing else; kinds that it does not give are told.

Examples:
  etcd-cat diff 3f9c latest                               what would a restore of 3f9c lose?
  etcd-cat diff 3f9c --live                               the same, against the cluster as it is now
  etcd-cat diff 3f9c latest --names -n shop               every object of one namespace by its name
  etcd-cat diff old.db new.db --object deploy shop/web    one object as a unified diff")]
pub(crate) struct DiffArgs {
    /// Beginning of an id, latest, latest-valid, or a path
    #[arg(value_name = "BACKUP")]
    pub(crate) from: String,

    /// The one that it is compared with
    #[arg(value_name = "BACKUP", required_unless_present = "live")]
    pub(crate) to: Option<String>,

    /// Compare with the live cluster, through oc: names and resourceVersions only
    #[arg(long, conflicts_with_all = ["to", "object"], env = "ETCD_CAT_LIVE", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) live: bool,

    /// Only objects in this namespace [default: all objects]
    #[arg(
        short,
        long,
        env = "ETCD_CAT_NAMESPACE",
        value_name = "NAMESPACE",
        hide_env = true
    )]
    pub(crate) namespace: Option<String>,

    /// Tell every object by its name
    #[arg(long, env = "ETCD_CAT_NAMES", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) names: bool,

    /// Compare one object, as a unified diff of what get --clean prints
    #[arg(
        long,
        env = "ETCD_CAT_OBJECT",
        num_args = 2,
        value_delimiter = ' ',
        value_names = ["KIND", "NAMESPACE/NAME"],
        conflicts_with = "names",
        hide_env = true
    )]
    pub(crate) object: Vec<String>,

    #[command(flatten)]
    pub(crate) inside: InsideArgs,
    #[command(flatten)]
    pub(crate) oc: OcArgs,
}
