//! Bucket `alarm`: which alarms stand. The keys are messages, the values are empty.
//!
//! Source: etcd `server/storage/schema/alarm.go` and `api/etcdserverpb/rpc.proto`, message `AlarmMember`, at c34dc7e.

use super::defect::{BucketDefect, BucketDefectKind};
use super::message::{self, ALARM_MEMBER};
use crate::bbolt::LeafElement;
use crate::protobuf::{WireDefect, integer_field};

/// A raised alarm.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Alarm {
    /// The member that raised it.
    pub(crate) member_id: u64,
    /// What for.
    pub(crate) kind: AlarmKind,
}

/// What an alarm says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AlarmKind {
    /// The quota is used up: no more writes.
    NoSpace,
    /// Members disagree about the content.
    Corrupt,
    /// A kind of the future.
    Other(i64),
}

/// Reads bucket `alarm`: the alarms, and what is none.
pub(crate) fn alarms(bucket: &[LeafElement<'_>]) -> (Vec<Alarm>, Vec<BucketDefect>) {
    let mut alarms = Vec::new();
    let mut defects = Vec::new();
    for element in bucket {
        match Alarm::decode(element.key) {
            Ok(alarm) => alarms.push(alarm),
            Err(defect) => {
                let kind = BucketDefectKind::AlarmKey(defect);
                defects.push(BucketDefect::new("alarm", element.key, kind));
            }
        }
    }
    (alarms, defects)
}

impl Alarm {
    fn decode(key: &[u8]) -> Result<Self, WireDefect> {
        message::check(key, ALARM_MEMBER)?;
        let field = |number| integer_field(key, number).map(Option::unwrap_or_default);
        let kind = match field(2)? {
            1 => AlarmKind::NoSpace,
            2 => AlarmKind::Corrupt,
            other => AlarmKind::Other(other),
        };
        Ok(Self {
            member_id: field(1)?.cast_unsigned(),
            kind,
        })
    }
}
