//! What whoever runs the program says about stores, and what its environment does.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// How buckets are reached. Nothing is read or asked before a bucket is named.
#[derive(Clone, Default)]
pub struct BucketOptions {
    /// Where the store answers, when it is none of the cloud's own: `https://host:port`.
    pub endpoint: Option<String>,
    /// The region of the buckets.
    pub region: Option<String>,
    /// The bucket stands in the path and not in the name of the host.
    pub is_path_style: bool,
    /// Certificates to trust besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// Requests are not signed: public buckets.
    pub is_unsigned: bool,
    /// Environment variables, by their names.
    pub environment: BTreeMap<String, String>,
}

impl BucketOptions {
    /// The first of these variables that is set and not empty.
    pub(super) fn variable(&self, names: &[&str]) -> Option<&str> {
        let values = names.iter().filter_map(|name| self.environment.get(*name));
        values.map(String::as_str).find(|value| !value.is_empty())
    }
}

/// The environment holds secrets: only how many variables there are is told.
impl fmt::Debug for BucketOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketOptions")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("is_path_style", &self.is_path_style)
            .field("ca_file", &self.ca_file)
            .field("is_unsigned", &self.is_unsigned)
            .field("environment", &self.environment.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_environment() {
        let variables = [("AWS_SECRET_ACCESS_KEY".to_owned(), "hunter2".to_owned())];
        let options = BucketOptions {
            environment: variables.into(),
            ..BucketOptions::default()
        };
        assert!(!format!("{options:?}").contains("hunter2"));
        assert_eq!(
            options.variable(&["AWS_X", "AWS_SECRET_ACCESS_KEY"]),
            Some("hunter2")
        );
    }
}
