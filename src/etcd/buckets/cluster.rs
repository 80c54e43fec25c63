//! Bucket `cluster`: the version that all members speak, and a downgrade that was asked for.
//!
//! Source: etcd `server/storage/schema/membership.go`, `ClusterVersionFromBackend` and `DowngradeInfoFromBackend`,
//! and `server/etcdserver/api/membership/cluster.go`, `Recover`, at c34dc7e.

use super::defect::{BucketDefect, BucketDefectKind};
use super::member::json_words;
use super::{value_of, version_text};
use crate::bbolt::LeafElement;
use serde::Deserialize;

/// What bucket `cluster` tells.
#[derive(Debug, Default)]
pub(crate) struct EtcdCluster {
    /// `clusterVersion`, such as `3.5.0`.
    pub(crate) version: Option<String>,
    /// The version that an enabled downgrade aims at.
    pub(crate) downgrade_to: Option<String>,
    /// What is wrong.
    pub(crate) defects: Vec<BucketDefect>,
}

/// etcd's `version.DowngradeInfo`.
#[derive(Deserialize)]
struct Downgrade {
    #[serde(rename = "target-version", default)]
    target_version: String,
    #[serde(default)]
    enabled: bool,
}

/// Reads bucket `cluster`.
pub(crate) fn cluster(bucket: &[LeafElement<'_>]) -> EtcdCluster {
    let mut found = EtcdCluster {
        version: version_text(bucket, b"clusterVersion"),
        ..EtcdCluster::default()
    };
    if let Some(value) = value_of(bucket, b"clusterVersion")
        && let Err(kind) = check_version(value)
    {
        found.tell("clusterVersion", kind);
    }
    if let Some(value) = value_of(bucket, b"downgrade") {
        match downgrade_target(value) {
            Ok(target) => found.downgrade_to = target,
            Err(words) => found.tell("downgrade", BucketDefectKind::Downgrade(words)),
        }
    }
    found
}

fn check_version(value: &[u8]) -> Result<(), BucketDefectKind> {
    let version = parse(value).ok_or(BucketDefectKind::ClusterVersion)?;
    if version.major == 3 {
        return Ok(());
    }
    let found = version.to_string();
    Err(BucketDefectKind::ClusterVersionMajor { found })
}

fn parse(value: &[u8]) -> Option<semver::Version> {
    semver::Version::parse(std::str::from_utf8(value).ok()?).ok()
}

fn downgrade_target(value: &[u8]) -> Result<Option<String>, String> {
    let downgrade: Downgrade = serde_json::from_slice(value).map_err(|error| json_words(&error))?;
    if !downgrade.enabled {
        return Ok(None);
    }
    match parse(downgrade.target_version.as_bytes()) {
        Some(version) => Ok(Some(version.to_string())),
        None => Err("its target is no version".to_owned()),
    }
}

impl EtcdCluster {
    fn tell(&mut self, name: &str, kind: BucketDefectKind) {
        let defect = BucketDefect::new("cluster", name.as_bytes(), kind);
        self.defects.push(defect);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element<'b>(key: &'b [u8], value: &'b [u8]) -> LeafElement<'b> {
        LeafElement {
            key,
            value,
            is_bucket: false,
        }
    }

    #[test]
    fn versions_and_downgrades_are_read_as_etcd_reads_them() {
        let rows: [(&[u8], &[u8], Option<BucketDefectKind>); 6] = [
            (b"clusterVersion", b"3.5.0", None),
            (
                b"clusterVersion",
                b"3.u.0",
                Some(BucketDefectKind::ClusterVersion),
            ),
            (
                b"clusterVersion",
                b"7.5.0",
                Some(BucketDefectKind::ClusterVersionMajor {
                    found: "7.5.0".to_owned(),
                }),
            ),
            (
                b"downgrade",
                br#"{"target-version":"","enabled":false}"#,
                None,
            ),
            (
                b"downgrade",
                br#"{"target-version":"3.6.0","enabled":true}"#,
                None,
            ),
            (
                b"downgrade",
                br#"{"target-version":"3.x.0","enabled":true}"#,
                Some(BucketDefectKind::Downgrade(
                    "its target is no version".to_owned(),
                )),
            ),
        ];
        for (key, value, expected) in rows {
            let found = cluster(&[element(key, value)]);
            let kinds: Vec<_> = found
                .defects
                .into_iter()
                .map(|defect| defect.kind)
                .collect();
            assert_eq!(kinds, Vec::from_iter(expected), "{}", value.escape_ascii());
        }
    }
}
