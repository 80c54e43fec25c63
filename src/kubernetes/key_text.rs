//! Storage keys as they are told: escaped, cut, and without the names of tokens.

/// Bytes of a key that are shown.
const MAX_SHOWN_BYTES: usize = 128;

/// A storage key. The name of an OAuth token is the token itself in older releases: it is left out.
pub(crate) fn storage_key_text(key: &[u8]) -> String {
    match token_resource(key) {
        Some(resource) => format!("...{resource}..."),
        None => name_text(key),
    }
}

/// The resource of OAuth tokens that a storage key is of.
pub(crate) fn token_resource(key: &[u8]) -> Option<&'static str> {
    let resources = ["/oauth/accesstokens/", "/oauth/authorizetokens/"];
    resources.into_iter().find(|resource| {
        let resource = resource.as_bytes();
        key.windows(resource.len()).any(|part| part == resource)
    })
}

/// Bytes with escapes; of long ones the first.
pub(crate) fn name_text(name: &[u8]) -> String {
    match name.get(..MAX_SHOWN_BYTES) {
        Some(start) if start.len() < name.len() => format!("{}...", start.escape_ascii()),
        _ => name.escape_ascii().to_string(),
    }
}
