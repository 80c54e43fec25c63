//! Takes out what is secret, by field: what is left says how long a value is, and which values are equal.
//!
//! The rules are those of [`secret_fields`]; they hold wherever such an object stands, at the top, in a list, in a
//! Template or in a custom resource that carries manifests. Whether a value was encrypted in etcd does not matter,
//! but for ConfigMaps: their data is masked where the cluster encrypts them.

use super::decode::{Object, group};
use super::value::{Map, Masked, Value};
use data_encoding::BASE64;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fmt;

/// What else is masked.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct MaskOptions {
    /// The cluster encrypts ConfigMaps, so what they hold is secret.
    pub config_maps: bool,
}

/// Masks the objects of one answer. Digests of the values are kept in memory to know equal ones; none is ever told.
#[derive(Default)]
pub struct Masker {
    options: MaskOptions,
    numbers: HashMap<[u8; 32], usize>,
}

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Masker({} values)", self.numbers.len())
    }
}

/// Annotations that repeat the whole object, as it was applied.
const LAST_APPLIED: [&str; 4] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "kapp.k14s.io/original",
    "objectset.rio.cattle.io/applied",
    "banzaicloud.com/last-applied",
];
/// Annotation of pull secrets up to 4.15: a whole service account token.
const TOKEN_VALUE: &str = "openshift.io/token-secret.value";
/// Embedded texts that are longer are not looked into, but masked.
const MAX_EMBEDDED_BYTES: usize = 2 << 20;

/// A path of names; `[]` is every item of a list, `*` every value of a map, and `base64` at the end says how the value
/// is written.
type Path = &'static [&'static str];

/// The secret fields of a kind. OpenShift's kinds were also known without a group.
fn secret_fields(group: &str, kind: &str, options: MaskOptions) -> &'static [Path] {
    match (group, kind) {
        ("", "Secret") => &[&["data", "*", "base64"], &["stringData", "*"]],
        ("", "ConfigMap") if options.config_maps => {
            &[&["data", "*"], &["binaryData", "*", "base64"]]
        }
        ("" | "route.openshift.io", "Route") => &[&["spec", "tls", "key"]],
        ("" | "oauth.openshift.io", "OAuthAccessToken" | "UserOAuthAccessToken") => &[
            &["metadata", "name"],
            &["metadata", "selfLink"],
            &["authorizeToken"],
            &["refreshToken"],
        ],
        ("" | "oauth.openshift.io", "OAuthAuthorizeToken") => &[
            &["metadata", "name"],
            &["metadata", "selfLink"],
            &["state"],
            &["codeChallenge"],
        ],
        ("" | "oauth.openshift.io", "OAuthClient") => &[&["secret"], &["additionalSecrets", "[]"]],
        ("" | "build.openshift.io", "BuildConfig") => &[
            &["spec", "triggers", "[]", "github", "secret"],
            &["spec", "triggers", "[]", "generic", "secret"],
            &["spec", "triggers", "[]", "gitlab", "secret"],
            &["spec", "triggers", "[]", "bitbucket", "secret"],
        ],
        ("" | "build.openshift.io", "Build") => &[
            &["spec", "triggeredBy", "[]", "githubWebHook", "secret"],
            &["spec", "triggeredBy", "[]", "genericWebHook", "secret"],
            &["spec", "triggeredBy", "[]", "gitlabWebHook", "secret"],
            &["spec", "triggeredBy", "[]", "bitbucketWebHook", "secret"],
        ],
        _ => &[],
    }
}

impl Masker {
    /// Starts an answer.
    pub fn new(options: MaskOptions) -> Self {
        Self {
            options,
            numbers: HashMap::new(),
        }
    }

    /// Masks an object, and every object inside it.
    pub fn mask(&mut self, object: &mut Object) {
        self.value(&mut object.fields);
    }

    /// Masks a text that stands alone, such as the name of an OAuth token.
    pub fn text(&mut self, text: &str) -> Masked {
        self.bytes(text.as_bytes())
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::List(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Map(map) => {
                self.map(map);
                map.iter_mut().for_each(|(_, value)| self.value(value));
            }
            _ => {}
        }
    }

    /// Masks what is secret of an object that a map may be.
    fn map(&mut self, map: &mut Map) {
        let (Some(api_version), Some(kind)) = (map.text("apiVersion"), map.text("kind")) else {
            return;
        };
        let paths = secret_fields(group(api_version), kind, self.options);
        for path in paths {
            self.path(map, path);
        }
        if !paths.is_empty() {
            self.unknown_fields(map);
        }
        if let Some(annotations) = annotations(map) {
            self.annotations(annotations, !paths.is_empty());
        }
    }

    fn path(&mut self, map: &mut Map, path: &[&str]) {
        match path {
            [] => {}
            ["*", rest @ ..] => map.iter_mut().for_each(|(_, value)| self.step(value, rest)),
            [name, rest @ ..] => {
                if let Some(value) = map.get_mut(name) {
                    self.step(value, rest);
                }
            }
        }
    }

    fn step(&mut self, value: &mut Value, path: &[&str]) {
        match (path, &mut *value) {
            ([], _) => self.hide(value),
            (["base64"], Value::Text(text)) => match BASE64.decode(text.as_bytes()) {
                Ok(bytes) => *value = Value::Masked(self.bytes(&bytes)),
                Err(_) => self.hide(value),
            },
            (["[]", rest @ ..], Value::List(items)) => {
                items.iter_mut().for_each(|item| self.step(item, rest));
            }
            (path, Value::Map(map)) => self.path(map, path),
            // Another shape than the API's: nobody knows what it holds.
            (_, Value::Null) => {}
            _ => self.hide(value),
        }
    }

    /// Fields of a secret object that the table does not have may be anything.
    fn unknown_fields(&mut self, map: &mut Map) {
        for (name, value) in map.iter_mut() {
            let digits = name.strip_prefix('f').unwrap_or_default();
            if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
                self.hide(value);
            } else if name != "metadata"
                && let Some(map) = value.as_map_mut()
            {
                self.unknown_fields(map);
            }
        }
    }

    /// `is_secret`: the object that has these annotations holds something secret.
    fn annotations(&mut self, annotations: &mut Map, is_secret: bool) {
        for (name, value) in annotations.iter_mut() {
            let Some(text) = value.as_text() else {
                self.hide(value);
                continue;
            };
            let repeats =
                LAST_APPLIED.contains(&name) || name.ends_with("last-applied-configuration");
            let is_hidden = if is_secret {
                repeats || name == TOKEN_VALUE || text.trim_start().starts_with(['{', '['])
            } else {
                repeats && self.holds_secret(text)
            };
            if is_hidden {
                self.hide(value);
            }
        }
    }

    /// Would anything be masked in the objects of this JSON text? What cannot be read might hold anything.
    fn holds_secret(&self, text: &str) -> bool {
        if text.len() > MAX_EMBEDDED_BYTES {
            return true;
        }
        let Ok(whole) = super::json::parse(
            text.trim().as_bytes(),
            &mut super::budget::Budget::new(text.len()),
        ) else {
            return text.contains('{');
        };
        let mut masked = whole.clone();
        Self::new(self.options).value(&mut masked);
        masked != whole
    }

    fn hide(&mut self, value: &mut Value) {
        let masked = match &*value {
            Value::Null | Value::Masked(_) => return,
            Value::Text(text) => self.bytes(text.as_bytes()),
            other => self.bytes(super::json::print_line(other).as_bytes()),
        };
        *value = Value::Masked(masked);
    }

    fn bytes(&mut self, bytes: &[u8]) -> Masked {
        let next = self.numbers.len() + 1;
        let number = *self
            .numbers
            .entry(Sha256::digest(bytes).into())
            .or_insert(next);
        Masked {
            size_bytes: bytes.len(),
            number,
        }
    }
}

fn annotations(map: &mut Map) -> Option<&mut Map> {
    let metadata = map.get_mut("metadata")?.as_map_mut()?;
    metadata.get_mut("annotations")?.as_map_mut()
}

#[cfg(test)]
mod tests {
    use super::super::decode::decode;
    use super::super::json;
    use super::*;

    fn masked(masker: &mut Masker, stored: &str) -> String {
        let mut object = decode(stored.as_bytes()).expect("is JSON");
        masker.mask(&mut object);
        json::print_line(&object.fields)
    }

    fn alone(stored: &str) -> String {
        masked(&mut Masker::default(), stored)
    }

    #[test]
    fn equal_values_have_equal_numbers_however_they_are_written() {
        let mut masker = Masker::default();
        let first = r#"{"apiVersion":"v1","kind":"Secret","data":{"a":"aHVudGVyMg==","b":"eA=="}}"#;
        let second = r#"{"apiVersion":"v1","kind":"Secret","stringData":{"c":"hunter2"},"data":null,"type":"t"}"#;
        assert_eq!(
            masked(&mut masker, first),
            r#"{"apiVersion":"v1","kind":"Secret","data":{"a":"<masked #1: 7 bytes>","b":"<masked #2: 1 byte>"}}"#
        );
        assert_eq!(
            masked(&mut masker, second),
            r#"{"apiVersion":"v1","kind":"Secret","stringData":{"c":"<masked #1: 7 bytes>"},"data":null,"type":"t"}"#
        );
    }

    #[test]
    fn the_secret_fields_of_each_kind_are_masked() {
        let rows = [
            (
                r#"{"apiVersion":"route.openshift.io/v1","kind":"Route","spec":{"tls":{"key":"SECRET","certificate":"c"}}}"#,
                1,
            ),
            (
                r#"{"apiVersion":"oauth.openshift.io/v1","kind":"OAuthAccessToken","metadata":{"name":"SECRET"},"authorizeToken":"SECRET","refreshToken":"SECRET"}"#,
                3,
            ),
            (
                r#"{"apiVersion":"oauth.openshift.io/v1","kind":"OAuthAuthorizeToken","metadata":{"name":"SECRET"},"codeChallenge":"SECRET"}"#,
                2,
            ),
            (
                r#"{"apiVersion":"oauth.openshift.io/v1","kind":"OAuthClient","secret":"SECRET","additionalSecrets":["SECRET","SECRET"]}"#,
                3,
            ),
            (
                r#"{"apiVersion":"build.openshift.io/v1","kind":"BuildConfig","spec":{"triggers":[{"github":{"secret":"SECRET"}},{"generic":{"secret":"SECRET","secretReference":{"name":"n"}}},{"type":"x"}]}}"#,
                2,
            ),
            (
                r#"{"apiVersion":"build.openshift.io/v1","kind":"Build","spec":{"triggeredBy":[{"message":"m","githubWebHook":{"secret":"SECRET"}}]}}"#,
                1,
            ),
            (
                r#"{"apiVersion":"template.openshift.io/v1","kind":"Template","objects":[{"apiVersion":"v1","kind":"Secret","stringData":{"a":"SECRET"}}]}"#,
                1,
            ),
            (
                r#"{"apiVersion":"work.example.com/v1","kind":"ManifestWork","spec":{"manifests":[{"kind":"Secret","apiVersion":"v1","data":{"a":"SECRET"}}]}}"#,
                1,
            ),
            (
                r#"{"apiVersion":"v1","kind":"Secret","data":["SECRET"],"f77":"SECRET"}"#,
                2,
            ),
            (
                r#"{"apiVersion":"v1","kind":"Secret","metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"SECRET","openshift.io/token-secret.value":"SECRET","other":"[\"SECRET\"]","plain":"p"}}}"#,
                3,
            ),
        ];
        for (stored, expected) in rows {
            let shown = alone(stored);
            assert!(!shown.contains("SECRET"), "{shown}");
            assert_eq!(shown.matches("<masked #").count(), expected, "{shown}");
        }
    }

    #[test]
    fn config_maps_are_masked_where_they_are_encrypted() {
        let stored =
            r#"{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"x"},"binaryData":{"b":"eA=="}}"#;
        assert_eq!(alone(stored), stored);
        let mut masker = Masker::new(MaskOptions { config_maps: true });
        let shown = masked(&mut masker, stored);
        assert_eq!(shown.matches("<masked #1: 1 byte>").count(), 2, "{shown}");
    }

    #[test]
    fn what_was_applied_is_masked_where_it_holds_a_secret() {
        let applied = |inner: &str| {
            let inner = serde_json::to_string(inner).expect("is a text");
            alone(&format!(
                r#"{{"apiVersion":"template.openshift.io/v1","kind":"Template","metadata":{{"annotations":{{"kubectl.kubernetes.io/last-applied-configuration":{inner}}}}}}}"#
            ))
        };
        let plain = r#"{"apiVersion":"template.openshift.io/v1","kind":"Template","objects":[{"apiVersion":"v1","kind":"Service"}]}"#;
        assert!(applied(plain).contains("Service"));
        let secret = plain.replace("Service\"", "Secret\",\"data\":{\"a\":\"SECRET\"}");
        assert!(applied(&secret).contains("<masked #1"));
        assert!(applied("{ broken SECRET").contains("<masked #1"));
    }

    #[test]
    fn other_objects_stay_as_they_are() {
        let stored = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"a":"{}"}},"data":{"a":"x"},"f1":1}"#;
        assert_eq!(alone(stored), stored);
    }
}
