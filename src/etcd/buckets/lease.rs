//! Bucket `lease`: who is granted how long, by the id in eight bytes, big-endian.
//!
//! Source: etcd `server/storage/schema/lease.go` and `server/lease/lessor.go`, `initAndRecover`, at c34dc7e.

use super::defect::{BucketDefect, BucketDefectKind, MAX_LEASE_SECONDS};
use super::message::{self, LEASE};
use crate::bbolt::LeafElement;
use crate::protobuf::{WireDefect, integer_field};
use std::collections::HashSet;

/// etcd's clock counts them in 64 bits, and what does not fit wraps around: to a time that is over, or to one far away.
const NANOSECONDS: i64 = 1_000_000_000;

/// What bucket `lease` tells.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    /// Ids of the leases as etcd takes them: those inside the values.
    pub(crate) ids: HashSet<i64>,
    /// What is wrong.
    pub(crate) defects: Vec<BucketDefect>,
}

/// Reads bucket `lease`.
pub(crate) fn leases(bucket: &[LeafElement<'_>]) -> Leases {
    let mut leases = Leases::default();
    for element in bucket {
        let defects = match Lease::decode(element.value) {
            Ok(lease) => {
                leases.ids.insert(lease.id);
                lease.defects(element.key)
            }
            Err(defect) => vec![BucketDefectKind::LeaseValue(defect)],
        };
        leases.defects.extend(
            defects
                .into_iter()
                .map(|kind| BucketDefect::new("lease", element.key, kind)),
        );
    }
    leases
}

/// A granted lease.
#[derive(Clone, Copy, Debug)]
struct Lease {
    id: i64,
    seconds: i64,
    remaining_seconds: i64,
}

impl Lease {
    fn decode(value: &[u8]) -> Result<Self, WireDefect> {
        message::check(value, LEASE)?;
        let field = |number| integer_field(value, number).map(Option::unwrap_or_default);
        Ok(Self {
            id: field(1)?,
            seconds: field(2)?,
            remaining_seconds: field(3)?,
        })
    }

    fn defects(&self, key: &[u8]) -> Vec<BucketDefectKind> {
        let mut found = Vec::new();
        match <[u8; 8]>::try_from(key) {
            Err(_) => found.push(BucketDefectKind::LeaseKey {
                found_bytes: key.len(),
            }),
            Ok(id) if i64::from_be_bytes(id) != self.id => {
                found.push(BucketDefectKind::LeaseId { found: self.id });
            }
            Ok(_) => {}
        }
        // etcd raises what is too short, and believes what is left over before what was granted.
        let counted = if self.remaining_seconds > 0 {
            self.remaining_seconds
        } else {
            self.seconds
        };
        if counted.wrapping_mul(NANOSECONDS) <= 0 && counted > 0 {
            let found_seconds = counted;
            found.push(BucketDefectKind::LeaseOverflow { found_seconds });
        } else if !(1..=MAX_LEASE_SECONDS).contains(&self.seconds) {
            let found_seconds = self.seconds;
            found.push(BucketDefectKind::LeaseSeconds { found_seconds });
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(key: &[u8], value: &[u8]) -> Vec<BucketDefectKind> {
        let element = LeafElement {
            key,
            value,
            is_bucket: false,
        };
        let found = leases(&[element]);
        found
            .defects
            .into_iter()
            .map(|defect| defect.kind)
            .collect()
    }

    #[test]
    fn a_lease_is_read_as_etcd_reads_it() {
        let key = 7_i64.to_be_bytes();
        let too_long = b"\x08\x07\x10\xff\xff\xff\xff\xff\xff\x3f";
        type Row<'r> = (&'r str, &'r [u8], &'r [u8], Vec<BucketDefectKind>);
        let rows: [Row<'_>; 9] = [
            (
                "longer than the clock, which wraps around to 27 years",
                &key,
                b"\x08\x07\x10\x80\x80\x80\x80\x48",
                vec![BucketDefectKind::LeaseSeconds {
                    found_seconds: 19_327_352_832,
                }],
            ),
            ("as granted", &key, b"\x08\x07\x10\x0f", vec![]),
            ("with a rest", &key, b"\x08\x07\x10\x0f\x18\x03", vec![]),
            (
                "cut",
                &key,
                b"\x08\x07\x10",
                vec![BucketDefectKind::LeaseValue(WireDefect::Short)],
            ),
            (
                "an id of another wire type",
                &key,
                b"\x0a\x00",
                vec![BucketDefectKind::LeaseValue(WireDefect::Kind { number: 1 })],
            ),
            (
                "of another id",
                &key,
                b"\x08\x08\x10\x0f",
                vec![BucketDefectKind::LeaseId { found: 8 }],
            ),
            (
                "under a short key",
                b"\x07",
                b"\x08\x07\x10\x0f",
                vec![BucketDefectKind::LeaseKey { found_bytes: 1 }],
            ),
            (
                "without a time to live",
                &key,
                b"\x08\x07",
                vec![BucketDefectKind::LeaseSeconds { found_seconds: 0 }],
            ),
            (
                "longer than the clock",
                &key,
                too_long,
                vec![BucketDefectKind::LeaseOverflow {
                    found_seconds: (1 << 48) - 1,
                }],
            ),
        ];
        for (name, key, value, expected) in rows {
            assert_eq!(kinds(key, value), expected, "{name}");
        }
    }
}
