//! What of a cluster matters to its recovery: where its control-plane nodes are, and which webhooks stand in the way.
//!
//! These objects are protobuf, large, and there are many of them: while a snapshot passes, each is cut down to what is
//! wanted of it ([`excerpt`]).
//!
//! Source: api `core/v1/generated.proto` (Node), `admissionregistration/v1/generated.proto`.

use crate::kubernetes::envelope::Envelope;
use crate::kubernetes::object::ObjectMeta;
use crate::protobuf::{MessageFields, WireValue, bytes_field};
use serde::{Deserialize, Serialize};

/// A control-plane node and where it is reached.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ControlPlaneNode {
    /// Name of the Node object.
    pub name: String,
    /// The first address of type `InternalIP`, as text.
    pub internal_address: Option<String>,
}

/// An admission configuration with a webhook whose `failurePolicy` is `Fail`: what it is asked about is rejected while
/// what answers is down.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct BlockingWebhook {
    /// `validatingwebhookconfiguration` or `mutatingwebhookconfiguration`.
    pub kind: String,
    /// Name of the object.
    pub name: String,
    /// Where its services are, each namespace once; empty when it is outside the cluster.
    pub namespaces: Vec<String>,
}

impl BlockingWebhook {
    /// OpenShift's own come back with the operators.
    pub fn is_of_openshift(&self) -> bool {
        let mut namespaces = self.namespaces.iter();
        !self.namespaces.is_empty() && namespaces.all(|one| one.starts_with("openshift-"))
    }
}

const MASTER_LABELS: [&[u8]; 2] = [
    b"node-role.kubernetes.io/master",
    b"node-role.kubernetes.io/control-plane",
];
const FAIL: &[u8] = b"Fail";

/// What is wanted of a Node in a stored value; `None` of other nodes than those of the control plane.
pub(super) fn node(value: &[u8]) -> Option<ControlPlaneNode> {
    let object = Envelope::parse(value).ok()??.raw;
    let meta = ObjectMeta::of(object).ok()?;
    let is_master = meta
        .labels()
        .any(|(label, _)| MASTER_LABELS.contains(&label));
    let status = bytes_field(object, 3).ok()?.unwrap_or_default();
    let mut addresses = messages(status, 5);
    let internal = addresses.find(|address| text(address, 1).as_deref() == Some("InternalIP"));
    is_master.then(|| ControlPlaneNode {
        name: String::from_utf8_lossy(meta.name).into_owned(),
        internal_address: internal.and_then(|address| text(address, 2)),
    })
}

/// What is wanted of a webhook configuration of this kind; `None` when it blocks nothing.
pub(super) fn webhook(kind: &str, value: &[u8]) -> Option<BlockingWebhook> {
    let object = Envelope::parse(value).ok()??.raw;
    let meta = ObjectMeta::of(object).ok()?;
    let is_blocking = |webhook: &&[u8]| bytes_field(webhook, 4).ok().flatten() == Some(FAIL);
    let blocking: Vec<&[u8]> = messages(object, 2).filter(is_blocking).collect();
    if blocking.is_empty() {
        return None;
    }
    let mut namespaces: Vec<String> = blocking.into_iter().filter_map(namespace).collect();
    namespaces.sort();
    namespaces.dedup();
    Some(BlockingWebhook {
        kind: kind.to_owned(),
        name: String::from_utf8_lossy(meta.name).into_owned(),
        namespaces,
    })
}

/// `clientConfig.service.namespace`
fn namespace(webhook: &[u8]) -> Option<String> {
    let client = bytes_field(webhook, 2).ok()??;
    let service = bytes_field(client, 1).ok()??;
    text(service, 1)
}

/// The messages in a repeated field, up to the first that is malformed.
fn messages(message: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    let fields = MessageFields::new(message).map_while(Result::ok);
    fields.filter_map(move |field| match field {
        (n, WireValue::Bytes(bytes)) if n == number => Some(bytes),
        _ => None,
    })
}

fn text(message: &[u8], number: u32) -> Option<String> {
    let bytes = bytes_field(message, number).ok()??;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field of bytes; short ones only.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u8::try_from(bytes.len()).expect("short");
        assert!(length < 128, "one byte of length");
        [&[number << 3 | 2, length], bytes].concat()
    }

    fn stored(kind: &[u8], object: &[u8]) -> Vec<u8> {
        let type_meta = [field(1, b"v1"), field(2, kind)].concat();
        [b"k8s\0".to_vec(), field(1, &type_meta), field(2, object)].concat()
    }

    fn hook(policy: &[u8], namespace: Option<&[u8]>) -> Vec<u8> {
        let client = namespace.map_or_else(
            || field(3, b"https://outside"),
            |namespace| field(1, &field(1, namespace)),
        );
        field(
            2,
            &[field(1, b"w"), field(2, &client), field(4, policy)].concat(),
        )
    }

    fn configuration(hooks: &[Vec<u8>]) -> Vec<u8> {
        let object = [field(1, &field(1, b"policy")), hooks.concat()].concat();
        stored(b"ValidatingWebhookConfiguration", &object)
    }

    #[test]
    fn webhooks_that_fail_are_named_with_where_they_are_served() {
        let kind = "validatingwebhookconfiguration";
        let ignored = configuration(&[hook(b"Ignore", Some(b"openshift-a"))]);
        assert_eq!(webhook(kind, &ignored), None);
        type Row<'r> = (&'r [Vec<u8>], &'r [&'r str], bool);
        let rows: [Row<'_>; 3] = [
            (
                &[
                    hook(b"Fail", Some(b"openshift-a")),
                    hook(b"Ignore", Some(b"b")),
                ],
                &["openshift-a"],
                true,
            ),
            (
                &[
                    hook(b"Fail", Some(b"openshift-a")),
                    hook(b"Fail", Some(b"gatekeeper")),
                ],
                &["gatekeeper", "openshift-a"],
                false,
            ),
            (&[hook(b"Fail", None)], &[], false),
        ];
        for (hooks, namespaces, is_of_openshift) in rows {
            let found = webhook(kind, &configuration(hooks)).expect("it blocks");
            assert_eq!((found.name.as_str(), found.kind.as_str()), ("policy", kind));
            assert_eq!(found.namespaces, namespaces);
            assert_eq!(found.is_of_openshift(), is_of_openshift);
        }
    }

    #[test]
    fn only_nodes_of_the_control_plane_are_kept() {
        let labelled = |label: &[u8]| {
            let meta = [field(1, b"node-0"), field(11, &field(1, label))].concat();
            let address =
                |kind: &[u8], value: &[u8]| field(5, &[field(1, kind), field(2, value)].concat());
            let status = [
                address(b"Hostname", b"node-0"),
                address(b"InternalIP", b"10.0.0.10"),
            ];
            let object = [field(1, &meta), field(3, &status.concat())].concat();
            node(&stored(b"Node", &object))
        };
        for label in MASTER_LABELS {
            let found = labelled(label).expect("of the control plane");
            assert_eq!(found.name, "node-0");
            assert_eq!(found.internal_address.as_deref(), Some("10.0.0.10"));
        }
        assert_eq!(labelled(b"node-role.kubernetes.io/worker"), None);
        for hostile in [
            &b""[..],
            b"k8s\0",
            b"k8s\0\xff\xff",
            b"k8s:enc:aescbc:v1:7:x",
            b"{}",
        ] {
            assert_eq!(node(hostile), None);
            assert_eq!(webhook("k", hostile), None);
        }
    }
}
