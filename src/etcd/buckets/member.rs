//! Buckets `members` and `members_removed`: who belongs to the cluster, and who did.
//!
//! A restore deletes both and writes its own members; it parses each key on the way and stops at one that is none.
//!
//! Source: etcd `server/storage/schema/membership.go`, `TrimMembershipFromBackend`, at c34dc7e.

use super::defect::{BucketDefect, BucketDefectKind};
use crate::bbolt::LeafElement;
use serde::Deserialize;
use std::collections::HashSet;

/// A member as bucket `members` holds it: JSON under the id in hexadecimal digits.
#[derive(Debug, Deserialize)]
pub(crate) struct StoredMember {
    /// Exceeds 2^53.
    pub(crate) id: u64,
    /// `peerURLs`.
    #[serde(rename = "peerURLs", default)]
    pub(crate) peer_urls: Option<Vec<String>>,
    /// `clientURLs`.
    #[serde(rename = "clientURLs", default)]
    pub(crate) client_urls: Option<Vec<String>>,
    /// Empty until it has started.
    #[serde(default)]
    pub(crate) name: String,
    /// Learners do not vote.
    #[serde(rename = "isLearner", default)]
    pub(crate) is_learner: bool,
}

/// What the buckets of members tell.
#[derive(Debug, Default)]
pub(crate) struct Members {
    /// Those that can be read, by id.
    pub(crate) members: Vec<StoredMember>,
    /// What is wrong.
    pub(crate) defects: Vec<BucketDefect>,
}

/// Reads buckets `members` and `members_removed`.
pub(crate) fn members(members: &[LeafElement<'_>], removed: &[LeafElement<'_>]) -> Members {
    let mut found = Members::default();
    let mut removed_ids = HashSet::new();
    for element in removed {
        match member_id(element.key) {
            Some(id) => drop(removed_ids.insert(id)),
            None => found.tell("members_removed", element, BucketDefectKind::MemberKey),
        }
    }
    for element in members {
        let id = member_id(element.key);
        match id {
            None => found.tell("members", element, BucketDefectKind::MemberKey),
            Some(id) if removed_ids.contains(&id) => {
                found.tell("members", element, BucketDefectKind::MemberTwice);
            }
            Some(_) => {}
        }
        match serde_json::from_slice::<StoredMember>(element.value) {
            Ok(member) => {
                if id.is_some_and(|id| id != member.id) {
                    let kind = BucketDefectKind::MemberId { found: member.id };
                    found.tell("members", element, kind);
                }
                found.members.push(member);
            }
            Err(error) => {
                let kind = BucketDefectKind::MemberValue(json_words(&error));
                found.tell("members", element, kind);
            }
        }
    }
    found.members.sort_by_key(|member| member.id);
    found
}

impl Members {
    fn tell(&mut self, bucket: &'static str, element: &LeafElement<'_>, kind: BucketDefectKind) {
        self.defects
            .push(BucketDefect::new(bucket, element.key, kind));
    }
}

/// Go's `strconv.ParseUint` to base 16: digits of either case, no sign, no space, no more than 64 bits.
fn member_id(key: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(key).ok()?;
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    are_digits
        .then(|| u64::from_str_radix(digits, 16).ok())
        .flatten()
}

/// Where JSON goes wrong. The parser's own words may repeat what stands there.
pub(super) fn json_words(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "the JSON ends early",
        serde_json::error::Category::Data => "the JSON has another shape",
        _ => "no JSON",
    };
    format!("{what}, column {}", error.column())
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
    fn members_are_read_as_etcd_reads_them() {
        let sound = br#"{"id":10,"peerURLs":["https://10.0.0.1:2380"],"name":"m0"}"#;
        type Row<'r> = (&'r str, &'r [u8], &'r [u8], Vec<BucketDefectKind>);
        let rows: [Row<'_>; 5] = [
            ("sound", b"a", sound, vec![]),
            ("sixteen digits", b"000000000000000a", sound, vec![]),
            (
                "a key that is none",
                b"9;79",
                sound,
                vec![BucketDefectKind::MemberKey],
            ),
            (
                "another id",
                b"b",
                sound,
                vec![BucketDefectKind::MemberId { found: 10 }],
            ),
            (
                "half a value",
                b"a",
                b"{\"id\":",
                vec![BucketDefectKind::MemberValue(
                    "the JSON ends early, column 6".to_owned(),
                )],
            ),
        ];
        for (name, key, value, expected) in rows {
            let found = members(&[element(key, value)], &[]);
            let kinds: Vec<_> = found
                .defects
                .into_iter()
                .map(|defect| defect.kind)
                .collect();
            assert_eq!(kinds, expected, "{name}");
        }
    }

    #[test]
    fn a_member_is_not_there_and_removed_at_once() {
        let sound = element(b"a", br#"{"id":10,"name":"m0"}"#);
        let found = members(&[sound], &[element(b"a", b"removed"), element(b"x", b"")]);
        let kinds: Vec<_> = found
            .defects
            .iter()
            .map(|defect| (defect.bucket, &defect.kind))
            .collect();
        let expected = [
            ("members_removed", &BucketDefectKind::MemberKey),
            ("members", &BucketDefectKind::MemberTwice),
        ];
        assert_eq!(kinds, expected);
    }
}
