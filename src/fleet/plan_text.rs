//! A plan as a text: one line of JSON for what it is, one for each group, and one that proves that it is whole.

use super::plan::{LeftOut, Plan, PlanHead, PlannedGroup, PlannedObject};
use crate::instant::rfc3339_seconds;
use crate::parallel;
use crate::source::{FileIdentity, ObjectId, ObjectIdentity, TaggedIdentity};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

const API_VERSION: &str = "etcd-cat/v1";
const KIND: &str = "FleetPlanFile";

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HeadLine {
    api_version: String,
    kind: String,
    run: String,
    created_at: String,
    shards: u32,
    locations: Vec<NameLine>,
    recent_objects: u64,
    recent_bytes: u64,
    over_budget_objects: u64,
    over_budget_bytes: u64,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct GroupLine {
    shard: u32,
    objects: Vec<ObjectLine>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ObjectLine {
    name: NameLine,
    #[serde(flatten)]
    identity: IdentityLine,
}

/// A name that is text, or its bytes in hex.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
enum NameLine {
    Text(String),
    Bytes(String),
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct IdentityLine {
    size_bytes: u64,
    modified_seconds: i64,
    modified_nanoseconds: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inode: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct LastLine {
    groups: u64,
    sha256: String,
}

/// The text of a plan.
pub(super) fn write(plan: &Plan) -> String {
    let mut text = String::new();
    push(&mut text, &HeadLine::from(&plan.head));
    for group in &plan.groups {
        push(&mut text, &GroupLine::from(group));
    }
    let last = LastLine {
        groups: u64::try_from(plan.groups.len()).unwrap_or(u64::MAX),
        sha256: data_encoding::HEXLOWER.encode(&Sha256::digest(&text)),
    };
    push(&mut text, &last);
    text
}

fn push(text: &mut String, line: &impl Serialize) {
    let line = serde_json::to_string(line).unwrap_or_default();
    // A string takes everything.
    let _ = writeln!(text, "{line}");
}

/// The plan of a text: the groups that `wanted` says, all of them counted and proven.
pub(super) fn read(text: &[u8], wanted: impl Fn(u32) -> bool + Sync) -> Result<Plan, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is no text")?;
    let whole = text.strip_suffix('\n').ok_or("it is cut short")?;
    let (body, last) = whole.rsplit_once('\n').ok_or("it is cut short")?;
    let last: LastLine = serde_json::from_str(last).map_err(|_| "it is cut short")?;
    let covered = text.get(..=body.len()).unwrap_or_default();
    if data_encoding::HEXLOWER.encode(&Sha256::digest(covered)) != last.sha256 {
        return Err("its SHA-256 is another one: it was changed".to_owned());
    }
    let mut lines = body.lines();
    let head: HeadLine = parse(lines.next().unwrap_or_default())?;
    let head = head.head()?;
    let lines: Vec<&str> = lines.collect();
    let groups = parallel::map(&lines, |line| {
        let group: GroupLine = parse(line)?;
        if group.shard >= head.shards {
            return Err(format!("it has a shard {} of {}", group.shard, head.shards));
        }
        wanted(group.shard).then(|| group.group()).transpose()
    });
    let groups: Result<Vec<Option<PlannedGroup>>, String> = groups.into_iter().collect();
    let groups = groups?.into_iter().flatten().collect();
    Ok(Plan { head, groups })
}

fn parse<'t, T: Deserialize<'t>>(line: &'t str) -> Result<T, String> {
    serde_json::from_str(line).map_err(|error| format!("a line of it makes no sense: {error}"))
}

impl From<&PlanHead> for HeadLine {
    fn from(head: &PlanHead) -> Self {
        Self {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            run: head.run.clone(),
            created_at: rfc3339_seconds(head.created_at),
            shards: head.shards,
            locations: head.locations.iter().map(NameLine::from).collect(),
            recent_objects: head.recent.objects,
            recent_bytes: head.recent.bytes,
            over_budget_objects: head.over_budget.objects,
            over_budget_bytes: head.over_budget.bytes,
        }
    }
}

impl HeadLine {
    fn head(self) -> Result<PlanHead, String> {
        if self.api_version != API_VERSION || self.kind != KIND {
            return Err(format!("it is a {} of {}", self.kind, self.api_version));
        }
        let created_at = DateTime::parse_from_rfc3339(&self.created_at);
        let locations: Result<_, String> = self.locations.into_iter().map(NameLine::id).collect();
        Ok(PlanHead {
            run: self.run,
            created_at: created_at
                .map_err(|error| format!("its time makes no sense: {error}"))?
                .with_timezone(&Utc),
            shards: self.shards,
            locations: locations?,
            recent: LeftOut {
                objects: self.recent_objects,
                bytes: self.recent_bytes,
            },
            over_budget: LeftOut {
                objects: self.over_budget_objects,
                bytes: self.over_budget_bytes,
            },
        })
    }
}

impl From<&PlannedGroup> for GroupLine {
    fn from(group: &PlannedGroup) -> Self {
        let objects = group.objects.iter().map(|object| ObjectLine {
            name: NameLine::from(&object.id),
            identity: IdentityLine::from(&object.identity),
        });
        Self {
            shard: group.shard,
            objects: objects.collect(),
        }
    }
}

impl GroupLine {
    fn group(self) -> Result<PlannedGroup, String> {
        let objects = self.objects.into_iter().map(|object| {
            Ok(PlannedObject {
                id: object.name.id()?,
                identity: object.identity.identity()?,
            })
        });
        let objects: Result<Vec<PlannedObject>, String> = objects.collect();
        Ok(PlannedGroup {
            shard: self.shard,
            objects: objects?,
        })
    }
}

impl From<&ObjectId> for NameLine {
    fn from(id: &ObjectId) -> Self {
        match String::from_utf8(id.to_bytes()) {
            Ok(text) => Self::Text(text),
            Err(error) => Self::Bytes(data_encoding::HEXLOWER.encode(error.as_bytes())),
        }
    }
}

impl NameLine {
    fn id(self) -> Result<ObjectId, String> {
        let bytes = match self {
            Self::Text(text) => text.into_bytes(),
            Self::Bytes(hex) => data_encoding::HEXLOWER
                .decode(hex.as_bytes())
                .map_err(|_| "a name in it is no hex")?,
        };
        Ok(ObjectId::from_bytes(&bytes))
    }
}

impl From<&ObjectIdentity> for IdentityLine {
    fn from(identity: &ObjectIdentity) -> Self {
        let (modified_seconds, modified_nanoseconds) = identity.modified();
        let line = Self {
            size_bytes: identity.size_bytes(),
            modified_seconds,
            modified_nanoseconds,
            device: None,
            inode: None,
            tag: None,
            version: None,
        };
        match identity {
            ObjectIdentity::File(file) => Self {
                device: Some(file.device),
                inode: Some(file.inode),
                ..line
            },
            ObjectIdentity::Tagged(object) => Self {
                tag: Some(object.tag.to_string()),
                version: object.version.as_deref().map(str::to_owned),
                ..line
            },
        }
    }
}

impl IdentityLine {
    fn identity(self) -> Result<ObjectIdentity, String> {
        match (self.device, self.inode, self.tag) {
            (Some(device), Some(inode), None) => Ok(ObjectIdentity::File(FileIdentity {
                device,
                inode,
                size_bytes: self.size_bytes,
                modified_seconds: self.modified_seconds,
                modified_nanoseconds: self.modified_nanoseconds,
            })),
            (None, None, Some(tag)) => Ok(ObjectIdentity::Tagged(TaggedIdentity {
                tag: tag.into(),
                version: self.version.map(Into::into),
                size_bytes: self.size_bytes,
                modified_seconds: self.modified_seconds,
                modified_nanoseconds: self.modified_nanoseconds,
            })),
            _ => Err("an object in it has no identity".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::at;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::path::Path;

    fn sample() -> Plan {
        let file = FileIdentity {
            device: 1,
            inode: u64::MAX,
            size_bytes: 3,
            modified_seconds: -4,
            modified_nanoseconds: 5,
        };
        let tagged = TaggedIdentity {
            tag: "abc-2".into(),
            version: Some("v1".into()),
            size_bytes: 9,
            modified_seconds: 7,
            modified_nanoseconds: 0,
        };
        let object = |id: ObjectId, identity: ObjectIdentity| PlannedObject { id, identity };
        let odd = ObjectId::from(Path::new(OsStr::from_bytes(b"/b/\xff\n.db")));
        let url = ObjectId::from("s3://bucket/a \"b\".db");
        Plan {
            head: PlanHead {
                run: "nightly".to_owned(),
                created_at: at("2024-11-09T03:00:00Z"),
                shards: 2,
                locations: vec![ObjectId::from("/b")],
                recent: LeftOut {
                    objects: 1,
                    bytes: 2,
                },
                over_budget: LeftOut::default(),
            },
            groups: vec![
                PlannedGroup {
                    shard: 0,
                    objects: vec![object(odd, file.into())],
                },
                PlannedGroup {
                    shard: 1,
                    objects: vec![object(url, ObjectIdentity::Tagged(tagged))],
                },
            ],
        }
    }

    #[test]
    fn a_plan_comes_back_and_a_share_of_it() {
        let plan = sample();
        let text = write(&plan);
        assert_eq!(read(text.as_bytes(), |_| true), Ok(plan.clone()));
        let share = read(text.as_bytes(), |shard| shard == 1).expect("whole");
        assert_eq!(share.groups, plan.groups.get(1..).expect("two"));
    }

    #[test]
    fn what_is_cut_or_changed_is_no_plan() {
        let text = write(&sample());
        for length in 0..text.len() {
            let cut = text.as_bytes().get(..length).expect("shorter");
            assert!(read(cut, |_| true).is_err(), "{length}");
        }
        let changed = text.replace("nightly", "nightlx");
        let error = read(changed.as_bytes(), |_| true).expect_err("changed");
        assert!(error.contains("SHA-256"), "{error}");
    }
}
