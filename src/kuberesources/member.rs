//! Names of members: whether unpacking them could reach outside, and what they are in the layout.
//!
//! `static-pod-resources/<component>-pod-<revision>/...`, one directory for each component.

use crate::openshift::COMPONENTS;
use crate::source::{TarMember, TarMemberKind};

/// The directory that `cluster-restore.sh` unpacks, by exactly this name.
pub(crate) const ROOT: &str = "static-pod-resources";

/// Longest name that is repeated in a finding, in bytes.
const MAX_SHOWN_BYTES: usize = 200;

/// A name as it may be shown: printable, and not endless.
pub(super) fn shown(path: &[u8]) -> String {
    match path.get(..MAX_SHOWN_BYTES) {
        Some(head) if path.len() > MAX_SHOWN_BYTES => {
            format!("{}... ({} bytes)", head.escape_ascii(), path.len())
        }
        _ => path.escape_ascii().to_string(),
    }
}

/// Why unpacking the member could touch what lies outside of the target directory; `None`: it could not.
pub(super) fn danger(member: &TarMember) -> Option<String> {
    if path_leads_out(&member.path) {
        return Some("its name leads out of the target directory".to_owned());
    }
    match &member.kind {
        TarMemberKind::SymbolicLink { target } if link_leads_out(&member.path, target) => {
            Some(format!("it is a link that leads out, to {}", shown(target)))
        }
        TarMemberKind::HardLink { target } if path_leads_out(target) => Some(format!(
            "it is a hard link that leads out, to {}",
            shown(target)
        )),
        TarMemberKind::File
        | TarMemberKind::Directory
        | TarMemberKind::SymbolicLink { .. }
        | TarMemberKind::HardLink { .. } => None,
        TarMemberKind::Special(kind) => Some(format!(
            "it is of kind {:?}, expected a file or a directory",
            char::from(*kind)
        )),
    }
}

fn segments(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&byte| byte == b'/')
        .filter(|segment| !segment.is_empty() && *segment != b".")
}

fn path_leads_out(path: &[u8]) -> bool {
    path.starts_with(b"/") || segments(path).any(|segment| segment == b"..")
}

/// Steps up count only at the start of a target: behind another name they depend on what that name is by then.
fn link_leads_out(path: &[u8], target: &[u8]) -> bool {
    let steps_up = segments(target)
        .take_while(|segment| *segment == b"..")
        .count();
    let later = segments(target)
        .skip(steps_up)
        .any(|segment| segment == b"..");
    let depth = segments(path).count().saturating_sub(1);
    target.starts_with(b"/") || later || steps_up > depth
}

/// Where a member stands in the layout.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct MemberPlace<'p> {
    /// The name begins with `./`: `tar -x static-pod-resources` does not find it.
    pub(super) has_dot: bool,
    /// One of [`COMPONENTS`].
    pub(super) component: &'static str,
    /// Static pod revision, as the directory says.
    pub(super) revision: i64,
    /// Segments below the component's directory; none for the directory itself.
    pub(super) rest: Vec<&'p str>,
}

impl<'p> MemberPlace<'p> {
    /// `None` for members outside of the four components' directories, and names that are not UTF-8.
    pub(super) fn of(path: &'p [u8]) -> Option<Self> {
        let path = std::str::from_utf8(path).ok()?;
        let mut names = path
            .split('/')
            .filter(|name| !name.is_empty() && *name != ".");
        if names.next() != Some(ROOT) {
            return None;
        }
        let (component, revision) = component_and_revision(names.next()?)?;
        Some(Self {
            has_dot: path.starts_with("./"),
            component,
            revision,
            rest: names.collect(),
        })
    }
}

fn component_and_revision(directory: &str) -> Option<(&'static str, i64)> {
    let component = COMPONENTS.into_iter().find(|component| {
        directory
            .strip_prefix(component)
            .is_some_and(|suffix| suffix.starts_with("-pod-"))
    })?;
    let digits = directory.strip_prefix(component)?.strip_prefix("-pod-")?;
    let is_decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((component, digits.parse().ok().filter(|_| is_decimal)?))
}

/// True for members below `static-pod-resources`, whatever they are.
pub(super) fn is_below_root(path: &[u8]) -> bool {
    segments(path).next() == Some(ROOT.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(path: &str, kind: TarMemberKind) -> TarMember {
        TarMember {
            path: path.as_bytes().to_vec(),
            kind,
            size_bytes: 0,
        }
    }

    #[test]
    fn names_and_links_that_lead_out_are_dangerous() {
        let link = |target: &str| TarMemberKind::SymbolicLink {
            target: target.as_bytes().to_vec(),
        };
        let hard = |target: &str| TarMemberKind::HardLink {
            target: target.as_bytes().to_vec(),
        };
        let rows = [
            ("static-pod-resources/a", TarMemberKind::File, false),
            ("/etc/passwd", TarMemberKind::File, true),
            ("a/../../b", TarMemberKind::File, true),
            ("a/b", link("../c"), false),
            ("a/b", link("../../c"), true),
            ("a/b", link("/etc"), true),
            ("a/b", link("c/../../.."), true),
            ("a/b", link("b"), false),
            ("a/b", hard("a/c"), false),
            ("a/b", hard("../c"), true),
            ("a/b", TarMemberKind::Special(b'3'), true),
        ];
        for (path, kind, expected) in rows {
            let row = format!("{path} {kind:?}");
            assert_eq!(danger(&member(path, kind)).is_some(), expected, "{row}");
        }
    }

    #[test]
    fn component_and_revision_come_from_the_directory() {
        let place = |path: &'static str| {
            MemberPlace::of(path.as_bytes())
                .map(|place| (place.component, place.revision, place.rest.join("/")))
        };
        let rows = [
            (
                "static-pod-resources/etcd-pod-7/etcd-pod.yaml",
                Some(("etcd", 7, "etcd-pod.yaml")),
            ),
            (
                "./static-pod-resources/kube-apiserver-pod-12/",
                Some(("kube-apiserver", 12, "")),
            ),
            ("static-pod-resources/kube-apiserver-pod-/x", None),
            ("static-pod-resources/kube-apiserver-pod-+1/x", None),
            (
                "static-pod-resources/kube-apiserver-pod-99999999999999999999/x",
                None,
            ),
            ("static-pod-resources/kube-apiserver-certs/x", None),
            ("other/etcd-pod-7/x", None),
        ];
        for (path, expected) in rows {
            let expected =
                expected.map(|(component, revision, rest)| (component, revision, rest.to_owned()));
            assert_eq!(place(path), expected, "{path}");
        }
    }

    #[test]
    fn shown_names_are_printable_and_short() {
        assert_eq!(shown(b"a\x1B[2J\xFF"), "a\\x1b[2J\\xff");
        assert!(shown(&vec![b'a'; 10 << 20]).len() < 300);
    }
}
