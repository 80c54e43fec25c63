//! The documents of the contract. A field that is missing, of another type or not documented is an error.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// `null` is a value, absence is not: without this an `Option` may be left out.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(value)
}

/// RFC 3339 in UTC, written with Z.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Instant(pub(crate) String);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let text = String::deserialize(value)?;
        let is_instant = text.parse::<DateTime<Utc>>().is_ok() && text.ends_with('Z');
        is_instant
            .then_some(Self(text.clone()))
            .ok_or_else(|| serde::de::Error::custom(format!("no instant in UTC: {text}")))
    }
}

/// Lower-case hex of a SHA-256.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Hex(pub(crate) String);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let text = String::deserialize(value)?;
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 64 && text.bytes().all(is_digit))
            .then_some(Self(text.clone()))
            .ok_or_else(|| serde::de::Error::custom(format!("no digest: {text}")))
    }
}

/// `kind: VerifyReport`
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct VerifyReport {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) items: Vec<Backup>,
    pub(crate) summary: Summary,
    pub(crate) skipped: Vec<Skipped>,
    /// Added: what was searched.
    pub(crate) locations: Vec<Location>,
    /// Added: what is another than before.
    pub(crate) changes: Changes,
    /// Added: what the restore script would take from each directory.
    pub(crate) restore_choices: Vec<RestoreChoice>,
    pub(crate) catalogue_damage: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Location {
    pub(crate) path: String,
    pub(crate) backups: u64,
    #[serde(deserialize_with = "given")]
    pub(crate) problem: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) message: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Changes {
    pub(crate) new: Vec<Reference>,
    pub(crate) changed: Vec<Reference>,
    pub(crate) gone: Vec<Reference>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reference {
    #[serde(deserialize_with = "given")]
    pub(crate) id: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) path: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RestoreChoice {
    pub(crate) directory: String,
    #[serde(deserialize_with = "given")]
    pub(crate) snapshot: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) kuberesources: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) backup: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) verdict: Option<String>,
    pub(crate) harmful: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Summary {
    pub(crate) valid: u64,
    pub(crate) warning: u64,
    pub(crate) invalid: u64,
    pub(crate) unknown: u64,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Skipped {
    pub(crate) path: String,
    pub(crate) kind: String,
    pub(crate) reason: String,
    pub(crate) remedy: String,
}

/// `kind: BackupList`
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BackupList {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) items: Vec<Backup>,
}

/// `kind: Backup`
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Backup {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    #[serde(deserialize_with = "given")]
    pub(crate) id: Option<String>,
    pub(crate) verdict: String,
    /// `as-is`, `staged` or `no`.
    pub(crate) usable: String,
    pub(crate) cluster: Cluster,
    pub(crate) version: Version,
    #[serde(deserialize_with = "given")]
    pub(crate) taken_at: Option<Instant>,
    #[serde(deserialize_with = "given")]
    pub(crate) taken_at_source: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) named_at: Option<Instant>,
    #[serde(deserialize_with = "given")]
    pub(crate) age_seconds: Option<i64>,
    #[serde(deserialize_with = "given")]
    pub(crate) snapshot: Option<Snapshot>,
    #[serde(deserialize_with = "given")]
    pub(crate) kuberesources: Option<Kuberesources>,
    pub(crate) pairing: Pairing,
    pub(crate) encryption: Encryption,
    pub(crate) findings: Vec<Finding>,
    /// Of the findings, those that the verdict does not know.
    pub(crate) advice: Vec<Finding>,
    #[serde(deserialize_with = "given")]
    pub(crate) first_seen_at: Option<Instant>,
    #[serde(deserialize_with = "given")]
    pub(crate) verified_at: Option<Instant>,
    pub(crate) verifications: Vec<Verification>,
    /// Added: findings that were accepted.
    pub(crate) accepted: Vec<String>,
    /// Added: under `--valid-for`, why it does not qualify.
    #[serde(deserialize_with = "given")]
    pub(crate) reasons_against: Option<Vec<String>>,
    /// Added: a file of which nothing could be read.
    #[serde(deserialize_with = "given")]
    pub(crate) unreadable_path: Option<String>,
    /// Added: how `backup` took it.
    #[serde(rename = "provenance")]
    pub(crate) _provenance: Option<Value>,
    /// Added: under `--valid-for`, whether it is the choice of its cluster.
    #[serde(rename = "recommended", deserialize_with = "given")]
    pub(crate) _recommended: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Cluster {
    #[serde(deserialize_with = "given")]
    pub(crate) id: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) name: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) api_server_url: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Version {
    #[serde(deserialize_with = "given")]
    pub(crate) openshift: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) upgrading_from: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) upgrading_to: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) etcd: Option<String>,
    pub(crate) history: Vec<History>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct History {
    pub(crate) version: String,
    pub(crate) state: String,
    #[serde(deserialize_with = "given")]
    pub(crate) started_time: Option<Instant>,
    #[serde(deserialize_with = "given")]
    pub(crate) completion_time: Option<Instant>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Snapshot {
    pub(crate) path: String,
    pub(crate) copies: Vec<String>,
    pub(crate) size_bytes: u64,
    #[serde(deserialize_with = "given")]
    pub(crate) modified_at: Option<Instant>,
    pub(crate) digest: Digest,
    pub(crate) status: Status,
    #[serde(deserialize_with = "given")]
    pub(crate) live_keys: Option<u64>,
    #[serde(deserialize_with = "given")]
    pub(crate) compact_revision: Option<i64>,
    #[serde(deserialize_with = "given")]
    pub(crate) page_size: Option<u32>,
    pub(crate) members: Vec<Member>,
    /// Added: whether it still lies there.
    pub(crate) present: bool,
    /// Added: how stores keep it.
    pub(crate) custody: Vec<Custody>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Custody {
    pub(crate) path: String,
    #[serde(deserialize_with = "given")]
    pub(crate) version_id: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) locked_until: Option<Instant>,
    #[serde(deserialize_with = "given")]
    pub(crate) lock_mode: Option<String>,
    pub(crate) legal_hold: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Digest {
    pub(crate) state: String,
    #[serde(deserialize_with = "given")]
    pub(crate) expected: Option<Hex>,
    pub(crate) computed: Hex,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Status {
    #[serde(deserialize_with = "given")]
    pub(crate) hash: Option<u32>,
    #[serde(deserialize_with = "given")]
    pub(crate) revision: Option<i64>,
    #[serde(deserialize_with = "given")]
    pub(crate) total_key: Option<u64>,
    #[serde(deserialize_with = "given")]
    pub(crate) total_size: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) peer_urls: Vec<String>,
    pub(crate) is_learner: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Kuberesources {
    pub(crate) path: String,
    pub(crate) copies: Vec<String>,
    pub(crate) size_bytes: u64,
    pub(crate) sha256: Hex,
    #[serde(deserialize_with = "given")]
    pub(crate) node: Option<String>,
    pub(crate) revisions: BTreeMap<String, i64>,
    /// Added, as of the snapshot.
    #[serde(deserialize_with = "given")]
    pub(crate) modified_at: Option<Instant>,
    /// Added: whether it still lies there.
    pub(crate) present: bool,
    /// Added: how stores keep it.
    pub(crate) custody: Vec<Custody>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pairing {
    pub(crate) basis: String,
    pub(crate) evidence: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Encryption {
    pub(crate) provider: String,
    pub(crate) keys_used: Vec<String>,
    pub(crate) keys_found: Vec<String>,
    pub(crate) proof: String,
    pub(crate) values: u64,
    pub(crate) values_tried: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finding {
    pub(crate) code: String,
    pub(crate) severity: String,
    pub(crate) artifact: String,
    pub(crate) message: String,
    pub(crate) evidence: BTreeMap<String, Value>,
    pub(crate) remedy: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verification {
    pub(crate) at: Instant,
    pub(crate) verdict: String,
    /// Added: findings that were accepted in that run.
    #[serde(rename = "accepted")]
    pub(crate) _accepted: Vec<String>,
}

/// `kind: RestoreCheck`
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RestoreCheck {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) target: Value,
    pub(crate) restorable: bool,
    #[serde(deserialize_with = "given")]
    pub(crate) chosen: Option<Backup>,
    #[serde(deserialize_with = "given")]
    pub(crate) why_chosen: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) lost_seconds: Option<i64>,
    pub(crate) alternatives: Vec<Value>,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) plan: Vec<String>,
    pub(crate) steps: Vec<Value>,
    /// Added: how many backups are of other clusters.
    #[serde(rename = "elsewhere")]
    pub(crate) _elsewhere: Value,
    /// Added: what to mind.
    #[serde(rename = "warnings")]
    pub(crate) _warnings: Vec<String>,
    /// Added: room that the recovery host needs.
    #[serde(rename = "spaceNeededBytes", deserialize_with = "given")]
    pub(crate) _space_needed_bytes: Option<u64>,
    /// Added: the backups that came nearest, each with a sentence.
    #[serde(rename = "nearMisses")]
    pub(crate) _near_misses: Vec<Value>,
    /// Added: what is lost against the newest backup of the cluster.
    #[serde(rename = "loss")]
    pub(crate) _loss: Value,
    #[serde(rename = "difference")]
    pub(crate) _difference: Value,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Candidate {
    #[serde(deserialize_with = "given")]
    pub(crate) id: Option<String>,
    pub(crate) reasons_against: Vec<String>,
}

impl Backup {
    /// Codes of the findings, each once, in their order.
    pub(crate) fn codes(&self) -> Vec<&str> {
        let mut codes: Vec<&str> = self.findings.iter().map(|one| one.code.as_str()).collect();
        codes.dedup();
        codes
    }

    /// Path of the file that stands for it.
    pub(crate) fn path(&self) -> &str {
        let snapshot = self.snapshot.as_ref().map(|half| half.path.as_str());
        let other = self.kuberesources.as_ref().map(|half| half.path.as_str());
        let unread = self.unreadable_path.as_deref();
        snapshot.or(other).or(unread).unwrap_or_default()
    }

    pub(crate) fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn snapshot(&self) -> &Snapshot {
        self.snapshot.as_ref().expect("a snapshot")
    }

    #[track_caller]
    pub(crate) fn kuberesources(&self) -> &Kuberesources {
        self.kuberesources.as_ref().expect("a kuberesources")
    }

    /// The finding with this code.
    #[track_caller]
    pub(crate) fn finding(&self, code: &str) -> &Finding {
        let found = self.findings.iter().find(|one| one.code == code);
        found.unwrap_or_else(|| panic!("no {code}: {:#?}", self.findings))
    }
}

impl VerifyReport {
    /// The backup of this file name.
    #[track_caller]
    pub(crate) fn of(&self, name: &str) -> &Backup {
        let found = self.items.iter().find(|one| one.path().contains(name));
        found.unwrap_or_else(|| panic!("no {name}: {self:#?}"))
    }

    /// The one backup.
    #[track_caller]
    pub(crate) fn only(&self) -> &Backup {
        assert_eq!(self.items.len(), 1, "{self:#?}");
        &self.items[0]
    }
}
