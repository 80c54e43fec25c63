//! Buckets `auth`, `authUsers`, `authRoles`: etcd decodes all users and their roles when it starts, in use or not.
//!
//! Source: etcd `server/auth/store.go`, `NewAuthStore` and `refreshRangePermCache`, at c34dc7e.

use super::defect::{BucketDefect, BucketDefectKind};
use super::message::{self, ROLE, USER};
use crate::bbolt::LeafElement;

/// What is wrong in the three buckets.
pub(crate) fn auth_defects(
    auth: &[LeafElement<'_>],
    users: &[LeafElement<'_>],
    roles: &[LeafElement<'_>],
) -> Vec<BucketDefect> {
    let revision = auth
        .iter()
        .filter(|element| element.key == b"authRevision")
        .filter(|element| element.value.len() != 8)
        .map(|element| {
            let found_bytes = element.value.len();
            BucketDefect::new(
                "auth",
                element.key,
                BucketDefectKind::AuthRevision { found_bytes },
            )
        });
    let users = users.iter().filter_map(|element| {
        let wrong = message::check(element.value, USER).err()?;
        Some(BucketDefect::new(
            "authUsers",
            element.key,
            BucketDefectKind::UserValue(wrong),
        ))
    });
    let roles = roles.iter().filter_map(|element| {
        let wrong = message::check(element.value, ROLE).err()?;
        Some(BucketDefect::new(
            "authRoles",
            element.key,
            BucketDefectKind::RoleValue(wrong),
        ))
    });
    revision.chain(users).chain(roles).collect()
}
