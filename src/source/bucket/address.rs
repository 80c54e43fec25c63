//! Buckets and keys in URLs.

use super::super::ObjectId;
use std::fmt::Write as _;

/// What a URL names: a bucket, and a key or the beginning of keys in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Address {
    /// `s3`, `gs` or `az`.
    pub(super) scheme: String,
    pub(super) bucket: String,
    /// Empty for the whole bucket.
    pub(super) key: String,
}

impl Address {
    /// `None` without a bucket.
    pub(super) fn of(id: &ObjectId) -> Option<Self> {
        let (scheme, rest) = id.as_os_str().to_str()?.split_once("://")?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        (!bucket.is_empty()).then(|| Self {
            scheme: scheme.to_owned(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        })
    }

    /// What another key of the same bucket is called.
    pub(super) fn id_of(&self, key: &str) -> ObjectId {
        ObjectId::from(format!("{}://{}/{key}", self.scheme, self.bucket).as_str())
    }

    /// What the keys of all that lies below begin with.
    pub(super) fn prefix(&self) -> String {
        if self.key.is_empty() || self.key.ends_with('/') {
            self.key.clone()
        } else {
            format!("{}/", self.key)
        }
    }

    /// What the keys of all that lies in the same directory begin with.
    pub(super) fn directory_prefix(&self) -> &str {
        let end = self.key.rfind('/').map_or(0, |slash| slash + 1);
        self.key.get(..end).unwrap_or_default()
    }
}

/// Keys with such a part cannot be asked for: whoever reads a URL takes the part away, and another key is left.
pub(super) fn has_dots(key: &str) -> bool {
    key.split('/').any(|part| matches!(part, "." | ".."))
}

/// A key, or a value in a query, as it stands in a URL.
pub(super) fn encoded(text: &str, keeps_slashes: bool) -> String {
    let mut url = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                url.push(char::from(byte));
            }
            b'/' if keeps_slashes => url.push('/'),
            byte => {
                let _ = write!(url, "%{byte:02X}");
            }
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Address {
        Address::of(&url.into()).expect("names a bucket")
    }

    #[test]
    fn keys_are_what_stands_behind_the_bucket() {
        let rows = [
            ("s3://b", "", "", ""),
            ("s3://b/", "", "", ""),
            ("s3://b/a", "a", "a/", ""),
            ("s3://b/a/", "a/", "a/", "a/"),
            ("s3://b/a/x.db", "a/x.db", "a/x.db/", "a/"),
            ("s3://b//x.db", "/x.db", "/x.db/", "/"),
        ];
        for (url, key, prefix, directory) in rows {
            let address = address(url);
            assert_eq!(address.bucket, "b");
            assert_eq!(address.key, key, "{url}");
            assert_eq!(address.prefix(), prefix, "{url}");
            assert_eq!(address.directory_prefix(), directory, "{url}");
        }
        assert_eq!(address("s3://b/a").id_of("/x"), ObjectId::from("s3://b//x"));
        for url in ["s3://", "s3:///x", "/b/x"] {
            assert_eq!(Address::of(&url.into()), None, "{url}");
        }
    }

    #[test]
    fn odd_keys_stand_in_urls_as_themselves() {
        assert_eq!(encoded("a//b c%+:\u{e9}", true), "a//b%20c%25%2B%3A%C3%A9");
        assert_eq!(encoded("a/b", false), "a%2Fb");
        assert!(has_dots("a/../b") && has_dots("./a") && !has_dots("a..b/.c"));
    }
}
