//! A stored object, looked at once: is it well formed, and is it the one that its storage key says.
//!
//! Etcd serves whatever was put, so a damaged object comes to light when an API server reads it: in a list, where it
//! stops all of that kind from being read, or never. Only what holds for every version of Kubernetes and OpenShift is
//! asked; anything else passes.

use super::encoding::Encoding;
use super::encryption::StoredValue;
use super::envelope::Envelope;
use super::json::{self, JsonDefect};
use super::object::{ObjectHead, lease_renewed_at};
use super::storage_key::{ObjectPlace, is_damaged_place, place_of};
use crate::protobuf::WireDefect;

/// Bytes of a name that are shown.
const MAX_SHOWN_BYTES: usize = 128;

/// Newest instants that an object tells, in seconds since 1970; 0 for none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct ObjectTimes {
    /// `renewTime` of a Lease.
    pub(crate) lease_seconds: i64,
    /// When somebody last wrote a field.
    pub(crate) content_seconds: i64,
}

/// What is wrong with a stored object.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ObjectDefect<'v> {
    /// No encoding that an API server writes.
    #[error("the value is neither JSON nor protobuf nor encrypted")]
    Encoding,
    /// `k8s:enc:` and nothing that could follow.
    #[error("the prefix of the encrypted value does not end")]
    EncryptionPrefix,
    /// JSON that does not parse.
    #[error("{0}")]
    Json(JsonDefect),
    /// Protobuf that does not parse, down to ObjectMeta.
    #[error("{0}")]
    Wire(WireDefect),
    /// Zeros where a message or a text is.
    #[error("zero bytes stand where its fields are")]
    Zeros,
    /// An object under a key that no API server uses, and that looks like one.
    #[error("no API server reads an object under this key")]
    Place,
    /// The kind is another than that of the resource.
    #[error("its kind is {}", shown(.found))]
    Kind {
        /// As stored.
        found: &'v [u8],
    },
    /// The API group is another than that in the key.
    #[error("its apiVersion is {}", shown(.found))]
    Group {
        /// As stored.
        found: &'v [u8],
    },
    /// Name or namespace are others than those in the key.
    #[error("it says it is {}", place_text(.namespace, .name))]
    Name {
        /// As stored.
        namespace: &'v [u8],
        /// As stored.
        name: &'v [u8],
    },
}

impl ObjectDefect<'_> {
    /// It decodes, and is another object than its key says.
    pub(crate) fn is_mismatch(&self) -> bool {
        matches!(
            self,
            Self::Place | Self::Kind { .. } | Self::Group { .. } | Self::Name { .. }
        )
    }
}

/// Looks at the plain value stored at `storage_key`.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub(crate) fn look_at<'v>(
    storage_key: &'v [u8],
    value: &'v [u8],
) -> Result<ObjectTimes, ObjectDefect<'v>> {
    let Some(place) = place_of(storage_key) else {
        return if is_damaged_place(storage_key) && is_object(value) {
            Err(ObjectDefect::Place)
        } else {
            Ok(ObjectTimes::default())
        };
    };
    match Encoding::of(value) {
        Encoding::Protobuf => protobuf(&place, value),
        Encoding::Cbor => Ok(ObjectTimes::default()),
        Encoding::Encrypted => match StoredValue::parse(value) {
            StoredValue::Malformed => Err(ObjectDefect::EncryptionPrefix),
            _ => Ok(ObjectTimes::default()),
        },
        Encoding::Json | Encoding::Other if begins_as_json(value) => {
            json(&place, value).map(|()| ObjectTimes::default())
        }
        // Whoever has an etcd of his own may keep what he likes below `/registry/`; no such value stops an API server.
        _ if storage_key.starts_with(b"/registry/") => Ok(ObjectTimes::default()),
        _ => Err(ObjectDefect::Encoding),
    }
}

/// A whole object with a name, or an encrypted value. Others keep small JSON documents under keys of their own.
fn is_object(value: &[u8]) -> bool {
    match Encoding::of(value) {
        Encoding::Encrypted => true,
        Encoding::Protobuf => {
            let envelope = Envelope::parse(value).ok().flatten();
            let head = envelope.and_then(|envelope| ObjectHead::of(envelope.raw).ok());
            head.is_some_and(|head| !head.name.is_empty())
        }
        Encoding::Json => {
            json::check(value).is_ok_and(|head| head.kind.is_some() && head.name.is_some())
        }
        Encoding::Cbor | Encoding::Other => false,
    }
}

/// Space may stand in front where a person put the value.
fn begins_as_json(value: &[u8]) -> bool {
    value.trim_ascii_start().first() == Some(&b'{')
}

fn protobuf<'v>(place: &ObjectPlace<'v>, value: &'v [u8]) -> Result<ObjectTimes, ObjectDefect<'v>> {
    let envelope = Envelope::parse(value).map_err(ObjectDefect::Wire)?;
    let envelope = envelope.ok_or(ObjectDefect::Encoding)?;
    let head = ObjectHead::of(envelope.raw).map_err(ObjectDefect::Wire)?;
    agrees(
        place,
        &Identity {
            api_version: envelope.api_version,
            kind: envelope.kind,
            namespace: head.namespace,
            name: head.name,
        },
    )?;
    let renewed_at = if envelope.kind == b"Lease" {
        lease_renewed_at(envelope.raw).map_err(ObjectDefect::Wire)?
    } else {
        None
    };
    Ok(ObjectTimes {
        lease_seconds: renewed_at.map_or(0, |at| at.timestamp()),
        content_seconds: head.written_at.unwrap_or_default(),
    })
}

fn json<'v>(place: &ObjectPlace<'v>, value: &'v [u8]) -> Result<(), ObjectDefect<'v>> {
    let head = json::check(value).map_err(ObjectDefect::Json)?;
    // A text with escapes is not compared: names have none.
    let texts = [head.api_version, head.kind, head.namespace, head.name];
    if texts.iter().flatten().any(|text| text.contains(&b'\\')) {
        return Ok(());
    }
    let [api_version, kind, namespace, name] = texts.map(Option::unwrap_or_default);
    agrees(
        place,
        &Identity {
            api_version,
            kind,
            namespace,
            name,
        },
    )
}

/// What an object says it is.
struct Identity<'v> {
    api_version: &'v [u8],
    kind: &'v [u8],
    namespace: &'v [u8],
    name: &'v [u8],
}

/// Is it the object that the key says? What has no name, as RangeAllocation, is not asked.
fn agrees<'v>(place: &ObjectPlace<'_>, found: &Identity<'v>) -> Result<(), ObjectDefect<'v>> {
    if found.name.is_empty() {
        return Ok(());
    }
    if !is_name_of_resource(place.resource.plural) {
        return Err(ObjectDefect::Place);
    }
    if let Some(group) = place.key_group {
        let is_group = found
            .api_version
            .strip_prefix(group)
            .is_some_and(|rest| rest.starts_with(b"/"));
        if !is_group {
            let found = found.api_version;
            return Err(ObjectDefect::Group { found });
        }
        // Whoever defines a resource may choose any plural; one that is all but the usual one was damaged.
        if is_nearly_kind_of(found.kind, place.resource.plural) {
            return Err(ObjectDefect::Place);
        }
    } else if !is_kind_of(found.kind, place.resource.plural) {
        return Err(ObjectDefect::Kind { found: found.kind });
    }
    let path = if found.namespace.is_empty() {
        Some(place.path)
    } else {
        let path = place.path.strip_prefix(found.namespace);
        path.and_then(|path| path.strip_prefix(b"/"))
    };
    let rest = path.and_then(|path| path.strip_prefix(found.name));
    // An Event is called after its object, a dot and a number; some writers leave the number to the key.
    let is_event = found.kind == b"Event";
    if rest.is_some_and(|rest| rest.is_empty() || is_event && rest.starts_with(b".")) {
        Ok(())
    } else {
        let (namespace, name) = (found.namespace, found.name);
        Err(ObjectDefect::Name { namespace, name })
    }
}

/// Is this the plural that Kubernetes makes of a kind? Some are plurals already, or never became one.
///
/// Source: apimachinery `pkg/api/meta/restmapper.go`, `UnsafeGuessKindToResource`.
fn is_kind_of(kind: &[u8], plural: &[u8]) -> bool {
    if kind.eq_ignore_ascii_case(plural) {
        return true;
    }
    let Some((last, stem)) = kind.split_last() else {
        return false;
    };
    let is = |singular: &[u8], ending: &[u8]| {
        plural
            .strip_suffix(ending)
            .is_some_and(|start| singular.eq_ignore_ascii_case(start))
    };
    match last.to_ascii_lowercase() {
        b's' => is(kind, b"es"),
        b'y' => is(stem, b"ies") || is(kind, b"s"),
        _ => is(kind, b"s"),
    }
}

/// Is this all but the plural of a kind: as long, and another in one byte?
fn is_nearly_kind_of(kind: &[u8], plural: &[u8]) -> bool {
    let Some((last, stem)) = kind.split_last().filter(|_| !is_kind_of(kind, plural)) else {
        return false;
    };
    let usual: (&[u8], &[u8]) = match last.to_ascii_lowercase() {
        b's' => (kind, b"es"),
        b'y' => (stem, b"ies"),
        _ => (kind, b"s"),
    };
    [usual, (kind, b"")].into_iter().any(|(start, ending)| {
        let letters = start.iter().chain(ending).map(u8::to_ascii_lowercase);
        let differing = letters.zip(plural).filter(|(one, other)| one != *other);
        start.len() + ending.len() == plural.len() && differing.count() == 1
    })
}

/// Resources are called by DNS labels.
fn is_name_of_resource(plural: &[u8]) -> bool {
    let is_allowed =
        |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(byte);
    plural.iter().all(is_allowed)
}

fn shown(text: &[u8]) -> String {
    let start = text.get(..MAX_SHOWN_BYTES).unwrap_or(text);
    let more = if start.len() < text.len() { "..." } else { "" };
    if text.is_empty() {
        "absent".to_owned()
    } else {
        format!("{}{more}", start.escape_ascii())
    }
}

fn place_text(namespace: &[u8], name: &[u8]) -> String {
    if namespace.is_empty() {
        shown(name)
    } else {
        format!("{} in namespace {}", shown(name), shown(namespace))
    }
}

#[cfg(test)]
mod tests {
    use super::{ObjectDefect, is_kind_of, look_at};
    use proptest::prelude::*;

    const WIDGET: &str = r#"{"apiVersion":"shop.example.com/v1","kind":"Widget","metadata":{"name":"w6","namespace":"team-a"}}"#;

    fn told(key: &str, value: &[u8]) -> Option<String> {
        look_at(key.as_bytes(), value)
            .err()
            .map(|defect| defect.to_string())
    }

    #[test]
    fn an_object_is_the_one_its_key_says() {
        let rows = [
            ("/kubernetes.io/shop.example.com/widgets/team-a/w6", None),
            (
                "/kubernetes.io/shop.example.com/widgets/team-a/w7",
                Some("it says it is w6 in namespace team-a"),
            ),
            (
                "/kubernetes.io/shop.example.com/widgets/team-b/w6",
                Some("it says it is w6 in namespace team-a"),
            ),
            (
                "/kubernetes.io/shop.example.com/widgets/w6",
                Some("it says it is w6 in namespace team-a"),
            ),
            (
                "/registry/other.example.com/widgets/team-a/w6",
                Some("its apiVersion is shop.example.com/v1"),
            ),
            ("/registry/configmaps/team-a/w6", Some("its kind is Widget")),
            // A plural that nobody would choose for a Widget, and one that somebody may.
            (
                "/kubernetes.io/shop.example.com/wifgets/team-a/w6",
                Some("no API server reads an object under this key"),
            ),
            (
                "/kubernetes.io/shop.example.com/wid\x7fets/team-a/w6",
                Some("no API server reads an object under this key"),
            ),
            ("/kubernetes.io/shop.example.com/widgetry/team-a/w6", None),
            // No key of an API server, and one whose objects have no names.
            ("/elsewhere/configmaps/team-a/w7", None),
            (
                "/regisury/configmaps/team-a/w6",
                Some("no API server reads an object under this key"),
            ),
            ("/registry/masterleases/10.0.0.1", None),
        ];
        for (key, expected) in rows {
            assert_eq!(told(key, WIDGET.as_bytes()).as_deref(), expected, "{key}");
        }
    }

    #[test]
    fn what_no_api_server_writes_is_told() {
        let key = "/kubernetes.io/configmaps/ns/n";
        let rows: [(&[u8], Option<&str>); 8] = [
            (
                b"",
                Some("the value is neither JSON nor protobuf nor encrypted"),
            ),
            (
                b"k8s",
                Some("the value is neither JSON nor protobuf nor encrypted"),
            ),
            (b" {}\n", None),
            (b"\xD9\xD9\xF7\xA0", None),
            (b"{\"a\":}", Some("JSON is malformed at byte 5")),
            (
                b"k8s\0\x0A\x05v1",
                Some("protobuf message ends inside a field"),
            ),
            (
                b"k8s\0\x12\x04\x0A\x02\x0A\x09",
                Some("protobuf message ends inside a field"),
            ),
            (
                b"k8s:enc:aescbc:v1",
                Some("the prefix of the encrypted value does not end"),
            ),
        ];
        for (value, expected) in rows {
            assert_eq!(
                told(key, value).as_deref(),
                expected,
                "{}",
                value.escape_ascii()
            );
        }
    }

    #[test]
    fn an_object_without_a_name_is_not_compared() {
        assert_eq!(
            told(
                "/registry/ranges/serviceips",
                b"{\"kind\":\"RangeAllocation\",\"metadata\":{}}"
            ),
            None
        );
    }

    #[test]
    fn a_name_with_escapes_is_not_compared() {
        let value = br#"{"kind":"ConfigMap","metadata":{"name":"\u006e"}}"#;
        assert_eq!(told("/registry/configmaps/ns/n", value), None);
    }

    #[test]
    fn long_names_are_cut_and_unprintable_ones_escaped() {
        let name = vec![0x1B; 1 << 20];
        let defect = ObjectDefect::Name {
            namespace: b"",
            name: &name,
        };
        assert!(defect.to_string().len() < 1000);
        assert!(defect.to_string().is_ascii());
    }

    #[test]
    fn plurals_are_those_that_kubernetes_makes() {
        for (kind, plural) in [
            ("Pod", "pods"),
            ("Ingress", "ingresses"),
            ("NetworkPolicy", "networkpolicies"),
            ("Endpoints", "endpoints"),
            ("SecurityContextConstraints", "securitycontextconstraints"),
            ("PodSecurityPolicy", "podsecuritypolicy"),
            ("StorageClass", "storageclasses"),
            ("Identity", "identities"),
            ("CSINode", "csinodes"),
            ("IPAddress", "ipaddresses"),
        ] {
            assert!(
                is_kind_of(kind.as_bytes(), plural.as_bytes()),
                "{kind} {plural}"
            );
        }
        for (kind, plural) in [
            ("Pof", "pods"),
            ("", "pods"),
            ("", ""),
            ("Pods", "pod"),
            ("Secret", "configmaps"),
        ] {
            assert_eq!(
                is_kind_of(kind.as_bytes(), plural.as_bytes()),
                plural.is_empty(),
                "{kind} {plural}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at_without_panic(path in "(/kubernetes.io|/registry|/openshift.io|)/[a-z./]{0,30}", start in 0_usize..4, bytes: Vec<u8>) {
            let starts: [&[u8]; 4] = [b"k8s\0", b"{", b"k8s:enc:", b""];
            let value = [starts.get(start).copied().unwrap_or_default(), &bytes].concat();
            if let Err(defect) = look_at(path.as_bytes(), &value) {
                prop_assert!(!defect.to_string().is_empty());
            }
        }
    }
}
