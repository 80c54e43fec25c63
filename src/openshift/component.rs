//! The static pods that make up the control plane.

/// The components, in the order in which `cluster-backup.sh` and its archives have them.
pub const COMPONENTS: [&str; 4] = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "etcd",
];

/// The component of this name.
pub(super) fn component_named(name: &[u8]) -> Option<&'static str> {
    let mut components = COMPONENTS.into_iter();
    components.find(|component| component.as_bytes() == name)
}

/// The component that an operator's resource rolls out, by the plural of that resource: `kubeapiservers` is of
/// `kube-apiserver`.
pub(super) fn component_of_operator(plural: &[u8]) -> Option<&'static str> {
    let singular = plural.strip_suffix(b"s")?;
    COMPONENTS.into_iter().find(|component| {
        let letters = component.bytes().filter(|byte| *byte != b'-');
        letters.eq(singular.iter().copied())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_known_by_the_plural_of_their_resource() {
        let rows: [(&[u8], Option<&str>); 6] = [
            (b"etcds", Some("etcd")),
            (b"kubeapiservers", Some("kube-apiserver")),
            (b"kubecontrollermanagers", Some("kube-controller-manager")),
            (b"kubeschedulers", Some("kube-scheduler")),
            (b"kube-schedulers", None),
            (b"consoles", None),
        ];
        for (plural, expected) in rows {
            assert_eq!(component_of_operator(plural), expected);
        }
    }
}
